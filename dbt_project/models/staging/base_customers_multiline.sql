-- A quoted field may contain line breaks: then the lines from the one where the quote opens to the one where it closes
-- are one record. They are joined only where the whole record then has the right number of fields, so that a stray
-- quote costs its own line and no other.
with

base_customers as (
    select
        rowid as row_id,
        source_file,
        raw_record
    from {{ ref('base_customers') }}
),

odd_lines as (
    select
        row_id as first_row_id,
        source_file,
        lead(row_id) over (
            partition by source_file
            order by row_id
        ) as last_row_id
    from base_customers
    where (length(raw_record) - length(replace(raw_record, '"', ''))) % 2 = 1
),

spans as (
    select
        first_row_id,
        last_row_id,
        source_file,
        unnest(generate_series(first_row_id, last_row_id)) as row_id
    from odd_lines
    -- Longer than any address or comment; it bounds the work that two stray quotes far apart can cause.
    where last_row_id - first_row_id <= 100
),

candidates as (
    select
        spans.first_row_id,
        spans.last_row_id,
        spans.source_file,
        string_agg(coalesce(base_customers.raw_record, ''), chr(10) order by base_customers.row_id) as raw_record
    from spans
    inner join base_customers on spans.row_id = base_customers.row_id
    group by spans.first_row_id, spans.last_row_id, spans.source_file
),

final as (
    select
        first_row_id,
        last_row_id,
        raw_record
    from candidates
    where
        false
        {% for layout in source_layouts(ref('base_customers')) if layout.delimiter %}
        or (source_file in ({{ sql_texts(layout.files) }}) and len({{ split_record('raw_record', layout.delimiter) }}) = {{ layout.n_fields }})
        {% endfor %}
)

select * from final
