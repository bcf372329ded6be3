{{ config(
    enabled=has_customers(),
    materialized='view',
    post_hook="{{ warn_of_attributes(this, ref('base_customer_lines'), ref('base_customer_records'), ref('base_customer_repeats'), segmentation()) }}"
) }}
{%- set settings = segmentation() %}
with

base_customer_records as (
    select * from {{ ref('base_customer_records') }}
),

base_customer_repeats as (
    select * from {{ ref('base_customer_repeats') }}
),

final as (
    select
        base_customer_records.{{ settings.columns | map(attribute='name') | join(',\n        base_customer_records.') }}
    from base_customer_records
    anti join base_customer_repeats on base_customer_records.row_id = base_customer_repeats.row_id
    where base_customer_records.reasons is null
)

select * from final
