{{ config(enabled=has_orders()) }}
with

-- Read anew by each step below, which spares a copy of every line.
base_order_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        *
    from {{ ref('base_order_lines') }}
),

{{ multiline_records('base_order_lines', orders()) }}

select * from final
