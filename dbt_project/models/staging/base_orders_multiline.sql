{{ config(enabled=has_orders()) }}
with

-- What is read of it differs, so it is not kept between.
base_orders as not materialized (
    select
        rowid as row_id,
        *
    from {{ ref('base_orders') }}
),

{{ multiline_records('base_orders', orders()) }}

select * from final
