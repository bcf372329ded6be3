{%- set key = segmentation().key.name -%}
with

base_customers as (
    select
        rowid as row_id,
        source_file,
        raw_record
    from {{ ref('base_customers') }}
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

base_customers_checked as (
    select * from {{ ref('base_customers_checked') }}
),

base_customers_repeated as (
    select * from {{ ref('base_customers_repeated') }}
),

first_lines as (
    select
        source_file,
        min(row_id) as first_row_id
    from base_customers
    group by source_file
),

refused as (
    select
        base_customers_checked.row_id,
        concat_ws(
            '; ',
            base_customers_checked.reasons,
            case when base_customers_repeated.first_row_id < base_customers_checked.row_id then '{{ key }} is a duplicate' end
        ) as reasons
    from base_customers_checked
    left join base_customers_repeated
        on base_customers_checked.{{ key }} = base_customers_repeated.{{ key }}
    where
        base_customers_checked.reasons is not null
        or base_customers_repeated.first_row_id < base_customers_checked.row_id
),

final as (
    select
        base_customers.source_file,
        base_customers.row_id - first_lines.first_row_id + 1 as line_number,
        refused.reasons,
        coalesce(base_customers_multiline.raw_record, base_customers.raw_record) as raw_record
    from refused
    inner join base_customers on refused.row_id = base_customers.row_id
    inner join first_lines on base_customers.source_file = first_lines.source_file
    left join base_customers_multiline on refused.row_id = base_customers_multiline.first_row_id
)

select * from final
order by source_file, line_number
