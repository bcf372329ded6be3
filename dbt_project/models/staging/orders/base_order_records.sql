{{ config(enabled=has_orders(), materialized='view', post_hook="{{ require_one_reading(ref('base_order_lines'), this, orders()) }}") }}
with

-- Read anew by each step below, which spares a copy of every line.
base_order_lines as not materialized (
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
