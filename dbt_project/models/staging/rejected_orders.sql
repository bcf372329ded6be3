{{ config(enabled=has_orders()) }}
with

base_orders_checked as (
    select * from {{ ref('base_orders_checked') }}
),

base_order_files as (
    select * from {{ ref('base_order_files') }}
),

final as (
    select
        cast(base_orders_checked.source_file as varchar) as source_file,
        base_orders_checked.row_id - base_order_files.first_row_id + 1 as line_number,
        base_orders_checked.reasons,
        base_orders_checked.raw_record
    from base_orders_checked
    inner join base_order_files on base_orders_checked.source_file = base_order_files.source_file
    where base_orders_checked.reasons is not null
)

select * from final
order by source_file, line_number
