{{ config(enabled=has_orders(), materialized='view') }}
with

base_order_lines as (
    select
        rowid as row_id,
        *
    from {{ ref('base_order_lines') }}
),

base_order_multiline_records as (
    select * from {{ ref('base_order_multiline_records') }}
),

{{ records_below_headers('base_order_lines', 'base_order_multiline_records', orders()) }}

select * from final
