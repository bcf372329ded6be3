{{ config(enabled=has_customers(), database=published_database()) }}
{%- set settings = segmentation() -%}
with

base_customer_lines as (
    select
        rowid as row_id,
        source_file
    from {{ ref('base_customer_lines') }}
),

-- Read twice, each time for a few of its rows.
base_customer_records as {{ without_a_copy() }} (
    select * from {{ ref('base_customer_records') }}
),

base_customer_repeats as (
    select * from {{ ref('base_customer_repeats') }}
),

files as (
    select
        source_file,
        min(row_id) as first_row_id
    from base_customer_lines
    group by source_file
),

rejected_records as (
    select *
    from base_customer_records
    where reasons is not null
    union all
    select base_customer_records.*
    from base_customer_records
    inner join base_customer_repeats on base_customer_records.row_id = base_customer_repeats.row_id
),

rejected as (
    select
        cast(rejected_records.source_file as string) as source_file,
        {{ line_number('rejected_records.row_id - files.first_row_id', settings) }} as line_number,
        coalesce(rejected_records.reasons, '{{ settings.key.name }} is a duplicate') as reasons,
        {% if not has_line_numbers(settings) %}
        coalesce(rejected_records.raw_record, {{ row_as_json(made_row(settings.columns | map(attribute='name'))) }}) as raw_record
        {% else %}
        rejected_records.raw_record
        {% endif %}
    from rejected_records
    inner join files on rejected_records.source_file = files.source_file
),

-- The text of a usable record is not kept, so the files with duplicates are read again.
lines as (
    {{ numbered_lines([] if not has_line_numbers(settings) else files_of(ref('base_customer_repeats')), settings) }}
),

final as (
    select
        rejected.source_file,
        rejected.line_number,
        rejected.reasons,
        {{ without_personal_values('coalesce(rejected.raw_record, lines.raw_record)', 'rejected.source_file', settings) }} as raw_record
    from rejected
    left join lines
        on
            rejected.raw_record is null
            and rejected.source_file = lines.source_file
            and rejected.line_number = lines.line_number
)

select * from final
order by source_file, line_number, raw_record
