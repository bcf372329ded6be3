{{ config(enabled=has_orders()) }}
with

base_orders as (
    select
        rowid as row_id,
        *
    from {{ ref('base_orders') }}
),

{{ multiline_records('base_orders', orders()) }}

select * from final
