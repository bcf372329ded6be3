with

base_customers as (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_customers') }}
),

final as (
    select
        source_file,
        min(row_id) as first_row_id,
        case when {{ is_text('source_file') }} then min(row_id) filter (where not is_blank) end as header_row_id,
        count(*) filter (where not is_blank) as n_lines
    from base_customers
    group by source_file
)

select * from final
