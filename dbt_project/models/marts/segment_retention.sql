{{ config(enabled=has_customers() and has_orders(), materialized='ephemeral', access='protected') }}
{%- set key = segmentation().key.name -%}
with

stg_orders as (
    select * from {{ ref('stg_orders').include(database=false) }}
    where {{ is_up_to_the_reference_date('ordered_at') }}
),

customer_segment_history as (
    select * from {{ ref('customer_segment_history').include(database=false) }}
),

segment_migrations as (
    select * from {{ ref('segment_migrations').include(database=false) }}
    where {{ rows_that_count('segment_migrations') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names').include(database=false) }}
),

-- Until when both the segments and the orders are known.
limits as (
    select
        least(
            (select cast(max(built_at) as date) from segment_migrations),
            (select {{ reference_date('ordered_at') }} from stg_orders)
        ) as last_day
),

purchases as (
    select distinct
        {{ key }},
        cast(ordered_at as date) as purchased_on
    from stg_orders
    where not is_return
),

entries as (
    select
        'then' as basis,
        {{ key }},
        segment_id,
        cast(dbt_valid_from as date) as entered_on,
        cast(dbt_valid_to as date) as left_on
    from customer_segment_history
    union all
    select
        'today' as basis,
        history.{{ key }},
        history.segment_id,
        min(purchases.purchased_on) as entered_on,
        cast(null as date) as left_on
    from customer_segment_history as history
    inner join purchases on history.{{ key }} = purchases.{{ key }}
    where history.dbt_valid_to is null
    group by history.{{ key }}, history.segment_id
),

followed as (
    select
        entries.basis,
        entries.segment_id,
        entries.entered_on,
        entries.left_on,
        min(purchases.purchased_on) as purchased_again_on
    from entries
    left join purchases on entries.{{ key }} = purchases.{{ key }} and entries.entered_on < purchases.purchased_on
    group by entries.basis, entries.{{ key }}, entries.segment_id, entries.entered_on, entries.left_on
),

ends as (
    {%- for n_months in [1, 3, 6, 12] %}
    select
        followed.*,
        {{ n_months }} as n_months,
        cast(followed.entered_on + interval {{ n_months }} months as date) as ends_on
    from followed
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

counts as (
    select
        ends.basis,
        ends.segment_id,
        ends.n_months,
        count(*) as n_customers,
        case when ends.basis = 'then' then sum(case when coalesce(ends.left_on > ends.ends_on, true) then 1 else 0 end) end as n_stayed,
        sum(case when ends.purchased_again_on <= ends.ends_on then 1 else 0 end) as n_ordered_again
    from ends
    cross join limits
    where ends.ends_on <= limits.last_day
    group by ends.basis, ends.segment_id, ends.n_months
),

final as (
    select
        counts.basis,
        counts.segment_id,
        int_segment_names.segment_name,
        counts.n_months,
        counts.n_customers,
        cast(counts.n_stayed as bigint) as n_stayed,
        counts.n_stayed / counts.n_customers as share_stayed,
        cast(counts.n_ordered_again as bigint) as n_ordered_again,
        counts.n_ordered_again / counts.n_customers as share_ordered_again
    from counts
    left join int_segment_names on counts.segment_id = int_segment_names.segment_id
)

select * from final
