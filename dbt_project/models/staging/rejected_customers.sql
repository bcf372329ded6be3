{%- set settings = segmentation() -%}
{%- set key = settings.key.name -%}
{%- set doubled_files = files_with_duplicates(ref('base_customers_checked'), ref('base_customers_repeated'), key) -%}
with

base_customers_checked as (
    select * from {{ ref('base_customers_checked') }}
),

base_customer_files as (
    select * from {{ ref('base_customer_files') }}
),

base_customers_repeated as (
    select * from {{ ref('base_customers_repeated') }}
),

refused as (
    select
        cast(base_customers_checked.source_file as varchar) as source_file,
        base_customers_checked.row_id - base_customer_files.first_row_id + 1 as line_number,
        coalesce(base_customers_checked.reasons, '{{ key }} is a duplicate') as reasons,
        base_customers_checked.raw_record
    from base_customers_checked
    inner join base_customer_files on base_customers_checked.source_file = base_customer_files.source_file
    left join base_customers_repeated on base_customers_checked.{{ key }} = base_customers_repeated.{{ key }}
    where
        base_customers_checked.reasons is not null
        or base_customers_repeated.first_row_id < base_customers_checked.row_id
),

-- The raw record of a usable row is not kept, so those of duplicates are read again.
lines as (
    {% for file in doubled_files %}
    {{ numbered_records(file, settings.source) }}
    union all
    {% endfor %}
    select
        cast(null as varchar) as source_file,
        cast(null as bigint) as line_number,
        cast(null as varchar) as raw_record
    where false
),

final as (
    select
        refused.source_file,
        refused.line_number,
        refused.reasons,
        coalesce(refused.raw_record, lines.raw_record) as raw_record
    from refused
    left join lines
        on
            refused.raw_record is null
            and refused.source_file = lines.source_file
            and refused.line_number = lines.line_number
)

select * from final
order by source_file, line_number
