{{ config(enabled=has_customers()) }}
{%- set listed = segmentation().attributes | rejectattr('data_type', 'in', ['double', 'integer', 'date']) | list -%}
with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

counts as (
    {%- for attribute in listed %}
    select
        segment_id,
        segment_name,
        '{{ attribute.name }}' as attribute,
        cast({{ attribute.name }} as string) as attribute_value,
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

-- Nobody reads a longer list, and values that are nearly as many as the customers say who they are.
long_lists as (
    select attribute
    from counts
    group by attribute
    having count(distinct attribute_value) > 50
),

listed_values as (
    select
        counts.segment_id,
        counts.segment_name,
        counts.attribute,
        case
            when long_lists.attribute is null then counts.attribute_value
            when counts.attribute_value is not null then 'more than 50 values'
        end as attribute_value,
        counts.attribute_value as single_value,
        counts.n_customers
    from counts
    left join long_lists on counts.attribute = long_lists.attribute
),

summed as (
    select
        segment_id,
        segment_name,
        attribute,
        attribute_value,
        count(single_value) as n_values,
        cast(sum(n_customers) as bigint) as n_customers
    from listed_values
    group by segment_id, segment_name, attribute, attribute_value
),

shares as (
    select
        segment_id,
        segment_name,
        attribute,
        attribute_value,
        n_values,
        n_customers,
        n_customers / sum(n_customers) over (partition by segment_id, attribute) as share,
        sum(n_customers) over (partition by attribute, attribute_value)
        / sum(n_customers) over (partition by attribute) as population_share
    from summed
),

final as (
    select
        segment_id,
        segment_name,
        attribute,
        attribute_value,
        n_values,
        n_customers,
        share,
        population_share,
        100 * share / population_share as share_index
    from shares
)

select * from final
order by segment_id, attribute, attribute_value
