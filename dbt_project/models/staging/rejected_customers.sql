{{ config(enabled=has_customers(), database=published_database()) }}
{%- set settings = segmentation() -%}
with

base_customer_lines as (
    select
        rowid as row_id,
        source_file
    from {{ ref('base_customer_lines') }}
),

base_customer_records as (
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

rejected as (
    select
        cast(base_customer_records.source_file as string) as source_file,
        {{ line_number('base_customer_records.row_id - files.first_row_id', settings) }} as line_number,
        coalesce(base_customer_records.reasons, '{{ settings.key.name }} is a duplicate') as reasons,
        {% if not has_line_numbers(settings) %}
        coalesce(base_customer_records.raw_record, {{ row_as_json(made_row(settings.columns | map(attribute='name'))) }}) as raw_record
        {% else %}
        base_customer_records.raw_record
        {% endif %}
    from base_customer_records
    inner join files on base_customer_records.source_file = files.source_file
    left join base_customer_repeats on base_customer_records.row_id = base_customer_repeats.row_id
    where
        base_customer_records.reasons is not null
        or base_customer_repeats.row_id is not null
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
