{{ config(
    enabled=has_orders(), materialized='table' if orders_are_judged() else 'view',
    post_hook=[
        "{{ require_one_reading(ref('base_order_lines'), this, orders()) }}",
        "{{ require_clear_orders(this, ref('base_order_lines')) }}",
    ]
) }}
with

-- Read anew by each step below, which spares a copy of every line.
base_order_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        *
    from {{ ref('base_order_lines') }}
),

base_order_multiline_records as (
    select * from {{ ref('base_order_multiline_records') }}
),

{{ records_below_headers('base_order_lines', 'base_order_multiline_records', orders(), name='records') }},

{{ judged_orders('records') }}

select * from final
