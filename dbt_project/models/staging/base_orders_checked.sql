{{ config(enabled=has_orders(), materialized='view') }}
with

base_orders as (
    select
        rowid as row_id,
        *
    from {{ ref('base_orders') }}
),

base_order_files as (
    select * from {{ ref('base_order_files') }}
),

base_orders_multiline as (
    select * from {{ ref('base_orders_multiline') }}
),

{{ records_below_headers('base_orders', 'base_order_files', 'base_orders_multiline', orders()) }}

select * from final
