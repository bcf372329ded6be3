{{ config(materialized='view') }}
{%- set settings = segmentation() -%}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

final as (
    select
        stg_customers.{{ settings.key.name }},
        {{ finished_features(settings.features) }}
    from stg_customers
    cross join int_feature_medians
)

select * from final
