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

candidates as (
    select
        odd_lines.first_row_id,
        odd_lines.last_row_id,
        odd_lines.source_file,
        string_agg(coalesce(base_customers.raw_record, ''), chr(10) order by base_customers.row_id) as raw_record
    from odd_lines
    inner join base_customers
        on base_customers.row_id between odd_lines.first_row_id and odd_lines.last_row_id
    -- Longer than any address or comment; it bounds the work that two stray quotes far apart can cause.
    where odd_lines.last_row_id - odd_lines.first_row_id <= 1000
    group by all
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
