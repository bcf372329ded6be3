{%- set key = segmentation().key.name -%}
{%- set history = as_left_by_last_build('customer_segment_history') -%}
-- Where every customer of the last good build was, and since when.
with

{% if history %}
memberships as (
    select
        {{ key }},
        segment_id,
        dbt_valid_from,
        dbt_valid_to,
        lag(segment_id) over (
            partition by {{ key }}
            order by dbt_valid_from
        ) as segment_id_before
    from {{ history }}
),
{% else %}
memberships as (
    select
        {{ key }},
        null::integer as segment_id,
        null::timestamp as dbt_valid_from,
        null::timestamp as dbt_valid_to,
        null::integer as segment_id_before
    from {{ ref('stg_customers') }}
    where false
),
{% endif %}

final as (
    select
        {{ key }},
        segment_id,
        segment_id_before,
        dbt_valid_from as changed_at
    from memberships
    where dbt_valid_to is null
)

select * from final
