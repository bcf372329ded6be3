{{ config(enabled=has_customers(), materialized='view') }}
{%- set labels, key = last_labels(), segmentation().key -%}
-- Where every customer of the last build was, and since when.
with

{% if execute and load_relation(labels) and not key.is_row_number %}
labels as (
    select * from {{ labels }}
),
{% else %}
labels as (
    select
        {{ key.name }},
        cast(null as integer) as segment_id,
        cast(null as integer) as previous_segment_id,
        cast(null as timestamp) as changed_at,
        cast(null as string) as name_at_change,
        cast(null as integer) as model_version_at_change
    from {{ ref('stg_customers') }}
    where false
),
{% endif %}

final as (
    select
        cast({{ key.name }} as {{ sql_type(key.data_type) }}) as {{ key.name }},
        segment_id,
        previous_segment_id,
        changed_at,
        name_at_change,
        model_version_at_change
    from labels
)

select * from final
