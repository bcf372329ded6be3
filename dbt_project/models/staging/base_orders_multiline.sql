{{ config(enabled=has_orders()) }}
with

-- Read anew by each step below, which spares a copy of every line.
base_orders as not materialized (
    select
        rowid as row_id,
        *
    from {{ ref('base_orders') }}
),

{{ multiline_records('base_orders', orders()) }}

select * from final
