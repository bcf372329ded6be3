{{ config(materialized='view') }}
{%- set settings = segmentation() -%}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        stg_customers.{{ settings.key.name }}
        {%- for feature in settings.features %},
        cast(stg_customers.{{ feature.name }} as double) as {{ feature.name }}
        {%- endfor %}
    from stg_customers
)

select * from final
