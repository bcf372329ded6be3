{{ config(materialized='view') }}
with

base_customer_lines as (
    select
        rowid as row_id,
        *
    from {{ ref('base_customer_lines') }}
),

base_customer_multiline_records as (
    select * from {{ ref('base_customer_multiline_records') }}
),

{{ records_below_headers('base_customer_lines', 'base_customer_multiline_records', segmentation()) }}

select * from final
