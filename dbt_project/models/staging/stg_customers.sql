{{ config(materialized='view') }}
{%- set settings = segmentation() -%}
{%- set key = settings.key.name %}
{%- set columns = ([settings.key] + settings.attributes + settings.features) | map(attribute='name') %}
with

base_customers_checked as (
    select * from {{ ref('base_customers_checked') }}
),

base_customers_repeated as (
    select * from {{ ref('base_customers_repeated') }}
),

final as (
    select
        base_customers_checked.{{ columns | join(',\n        base_customers_checked.') }}
    from base_customers_checked
    left join base_customers_repeated
        on base_customers_checked.{{ key }} = base_customers_repeated.{{ key }}
    where
        base_customers_checked.reasons is null
        and coalesce(base_customers_repeated.first_row_id, base_customers_checked.row_id) = base_customers_checked.row_id
)

select * from final
