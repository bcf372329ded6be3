{{ config(enabled=has_customers()) }}
with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

counts as (
    {%- for attribute in segmentation().attributes %}
    select
        segment_id,
        segment_name,
        '{{ attribute.name }}' as attribute,
        {{ attribute.name }} as attribute_value,
        count(*) as n_customers
    from customer_segments
    group by segment_id, segment_name, {{ attribute.name }}
    {{- " union all" if not loop.last }}
    {%- else %}
    select
        segment_id,
        segment_name,
        cast(null as string) as attribute,
        cast(null as string) as attribute_value,
        cast(0 as bigint) as n_customers
    from customer_segments
    where false
    {%- endfor %}
),

shares as (
    select
        segment_id,
        segment_name,
        attribute,
        attribute_value,
        n_customers,
        n_customers / sum(n_customers) over (partition by segment_id, attribute) as share,
        sum(n_customers) over (partition by attribute, attribute_value)
        / sum(n_customers) over (partition by attribute) as population_share
    from counts
),

final as (
    select
        segment_id,
        segment_name,
        attribute,
        attribute_value,
        n_customers,
        share,
        population_share,
        100 * share / population_share as share_index
    from shares
)

select * from final
order by segment_id, attribute, attribute_value
