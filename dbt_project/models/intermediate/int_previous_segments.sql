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
        dbt_valid_to
    from {{ history }}
),
{% else %}
memberships as (
    select
        {{ key }},
        null::integer as segment_id,
        null::timestamp as dbt_valid_from,
        null::timestamp as dbt_valid_to
    from {{ ref('stg_customers') }}
    where false
),
{% endif %}

earlier as (
    select
        {{ key }},
        max_by(segment_id, dbt_valid_from) as segment_id
    from memberships
    where dbt_valid_to is not null
    group by {{ key }}
),

final as (
    select
        memberships.{{ key }},
        memberships.segment_id,
        earlier.segment_id as segment_id_before,
        memberships.dbt_valid_from as changed_at
    from memberships
    left join earlier on memberships.{{ key }} = earlier.{{ key }}
    where memberships.dbt_valid_to is null
)

select * from final
