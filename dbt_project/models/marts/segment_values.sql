{{ config(enabled=has_customers() and has_orders()) }}
{%- set key, has_amounts = segmentation().key.name, orders().has_amounts -%}
with

stg_orders as (
    select * from {{ ref('stg_orders') }}
    where {{ is_up_to_the_reference_date('ordered_at') }}
),

customer_segment_history as (
    select * from {{ ref('customer_segment_history') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names') }}
),

limits as (
    select
        (select {{ reference_date('ordered_at') }} from stg_orders) as reference_date,
        (select min(dbt_valid_from) from customer_segment_history) as first_built_at
),

-- Money counts when it comes or goes back.
payments as (
    select
        {{ key }},
        ordered_at as happened_at,
        sum({{ exact_amount('amount') }}) filter (where not is_return) as bought_value,
        coalesce(sum({{ exact_amount('amount') }}), 0) - coalesce(sum({{ exact_amount('refunded_amount') }}), 0) as revenue,
        {{ 'sum(' ~ exact_amount('margin') ~ ')' if orders().has_margin else 'cast(null as decimal(38, 4))' }} as margin
    from stg_orders
    group by {{ key }}, ordered_at
),

-- An order counts at its first purchase, as in customer_order_features.
orders as (
    select
        {{ key }},
        order_id,
        case when order_id is null then cast(ordered_at as date) end as day_without_order_id,
        min(ordered_at) as happened_at
    from stg_orders
    where not is_return
    group by {{ key }}, order_id, day_without_order_id
),

purchases as (
    select
        {{ key }},
        happened_at,
        count(*) as n_orders
    from orders
    group by {{ key }}, happened_at
),

followed_purchases as (
    select
        *,
        lag(happened_at) over (partition by {{ key }} order by happened_at) as last_happened_at,
        -- A year has every season: who buys each Christmas has not lapsed in summer.
        cast(cast(happened_at as date) + interval 12 months as timestamp) as lapses_at,
        lead(happened_at) over (partition by {{ key }} order by happened_at) as next_happened_at
    from purchases
),

events as (
    select
        {{ key }},
        happened_at,
        bought_value,
        revenue,
        margin,
        0 as n_orders,
        false as is_new,
        false as is_lapsed
    from payments
    union all
    select
        {{ key }},
        happened_at,
        cast(null as decimal(38, 4)) as bought_value,
        cast(null as decimal(38, 4)) as revenue,
        cast(null as decimal(38, 4)) as margin,
        n_orders,
        last_happened_at is null as is_new,
        false as is_lapsed
    from followed_purchases
    union all
    select
        followed_purchases.{{ key }},
        followed_purchases.lapses_at as happened_at,
        cast(null as decimal(38, 4)) as bought_value,
        cast(null as decimal(38, 4)) as revenue,
        cast(null as decimal(38, 4)) as margin,
        0 as n_orders,
        false as is_new,
        true as is_lapsed
    from followed_purchases
    cross join limits
    where
        followed_purchases.lapses_at <= limits.reference_date
        and coalesce(followed_purchases.next_happened_at > followed_purchases.lapses_at, true)
),

placed as (
    select
        'then' as basis,
        events.*,
        history.segment_id,
        case when events.happened_at < limits.first_built_at then '(before the first build)' else '(in no segment)' end as standing
    from events
    cross join limits
    left join customer_segment_history as history
        on
            events.{{ key }} = history.{{ key }}
            and events.happened_at >= history.dbt_valid_from
            and (events.happened_at < history.dbt_valid_to or history.dbt_valid_to is null)
    union all
    select
        'today' as basis,
        events.*,
        history.segment_id,
        '(in no segment)' as standing
    from events
    left join customer_segment_history as history on events.{{ key }} = history.{{ key }} and history.dbt_valid_to is null
),

sums as (
    select
        basis,
        cast(date_trunc('month', happened_at) as date) as month,
        segment_id,
        case when segment_id is null then standing end as standing,
        count(distinct case when n_orders > 0 then {{ key }} end) as n_customers,
        cast(sum(n_orders) as bigint) as n_orders,
        cast(coalesce(sum(bought_value), 0) as double) as bought_value,
        cast(coalesce(sum(revenue), 0) as double) as revenue,
        cast(sum(margin) as double) as margin,
        count(*) filter (where is_new) as n_new_customers,
        count(*) filter (where is_lapsed) as n_lapsed_customers
    from placed
    group by basis, month, segment_id, case when segment_id is null then standing end
),

final as (
    select
        sums.basis,
        sums.month,
        sums.segment_id,
        coalesce(int_segment_names.segment_name, sums.standing) as segment_name,
        sums.n_customers,
        sums.n_orders,
        {% if has_amounts %}
        sums.revenue,
        sums.margin,
        sums.bought_value / nullif(sums.n_orders, 0) as average_order_value,
        sums.revenue / nullif(sum(sums.revenue) over (partition by sums.basis, sums.month), 0) as share_of_revenue,
        {% else %}
        cast(null as double) as revenue,
        sums.margin,
        cast(null as double) as average_order_value,
        cast(null as double) as share_of_revenue,
        {% endif %}
        sums.n_new_customers,
        sums.n_lapsed_customers
    from sums
    left join int_segment_names on sums.segment_id = int_segment_names.segment_id
)

select * from final
order by basis, month, segment_id
