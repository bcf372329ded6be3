{{ config(enabled=has_customers(), materialized='view') }}
{%- set settings = segmentation() -%}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        {% for feature in settings.numbers %}
        cast(stg_customers.{{ feature.name }} as double) as {{ feature.name }},
        {% endfor %}
        {% for feature in settings.categories %}
        stg_customers.{{ feature.name }},
        {% endfor %}
        stg_customers.{{ settings.key.name }}
    from stg_customers
)

select * from final
