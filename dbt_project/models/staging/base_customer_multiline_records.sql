{{ config(enabled=has_customers()) }}
with

-- Read anew by each step below, which spares a copy of every line.
base_customer_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        *
    from {{ ref('base_customer_lines') }}
),

{{ multiline_records('base_customer_lines', segmentation()) }}

select * from final
