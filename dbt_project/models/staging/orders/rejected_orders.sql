{{ config(enabled=has_orders(), database=published_database()) }}
with

base_order_lines as (
    select
        rowid as row_id,
        source_file
    from {{ ref('base_order_lines') }}
),

base_order_records as (
    select * from {{ ref('base_order_records') }}
),

files as (
    select
        source_file,
        min(row_id) as first_row_id
    from base_order_lines
    group by source_file
),

final as (
    select
        cast(base_order_records.source_file as string) as source_file,
        {{ line_number('base_order_records.row_id - files.first_row_id', orders()) }} as line_number,
        base_order_records.reasons,
        {{ without_personal_values('base_order_records.raw_record', 'cast(base_order_records.source_file as string)', orders()) }} as raw_record,
        base_order_records.is_left_out
    from base_order_records
    inner join files on base_order_records.source_file = files.source_file
    where base_order_records.reasons is not null
)

select * from final
order by source_file, line_number, raw_record
