{{ config(materialized='view') }}
with

base_customers as (
    select
        rowid as row_id,
        *
    from {{ ref('base_customers') }}
),

base_customer_files as (
    select * from {{ ref('base_customer_files') }}
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

{{ records_below_headers('base_customers', 'base_customer_files', 'base_customers_multiline', segmentation()) }}

select * from final
