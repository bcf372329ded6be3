{%- set settings = segmentation() -%}
{%- set layouts = source_layouts(settings.source, settings.columns) | selectattr('delimiter') | list -%}
-- A quoted field may contain line breaks: then the lines from the one where the quote opens to the one where it closes
-- are one record. They are joined only where the whole record then has the right number of fields, and no line between them is a
-- customer by itself, so that a stray quote costs its own line and no other.
with

base_customers as (
    select
        rowid as row_id,
        *
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
    having not bool_or(base_customers.reasons is null and not base_customers.is_blank)
),

{% for layout in layouts %}
split_{{ loop.index }} as (
    select
        *,
        {{ split_record('raw_record', layout.delimiter) }} as _parts
    from candidates
    where
        source_file in ({{ sql_texts(layout.files) }})
        and len({{ split_record('raw_record', layout.delimiter) }}) = {{ layout.n_fields }}
),

{{ checked_records(
    'checked_' ~ loop.index, 'split_' ~ loop.index, settings.columns, layout, settings.source.decimal_separator, ['first_row_id', 'last_row_id']
) }},
{% endfor %}

final as (
    select
        row_id as first_row_id,
        row_id as last_row_id,
        source_file,
        {{ settings.columns | map(attribute='name') | join(',\n        ') }},
        reasons,
        is_blank,
        raw_record
    from base_customers
    where false
    {% for layout in layouts %}
    union all
    select * from checked_{{ loop.index }}
    {% endfor %}
)

select * from final
