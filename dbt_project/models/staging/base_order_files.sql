{{ config(enabled=has_orders()) }}
with

base_orders as (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_orders') }}
),

{{ beginnings_of_files('base_orders', orders().source) }}

select * from final
