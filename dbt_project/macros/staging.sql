{#-
    What the staging of customers and of orders shares: CTEs that end in `final`. `table` is what segmentation() or orders() returns:
    the source and the columns of its files.
-#}


{#- Every line of the files, split, typed and checked in one pass. The name of the file is one of an enum: a number in each row. -#}
{% macro checked_lines(table) %}
{%- set layouts = source_layouts(table.source, table.columns) -%}
{%- set files = layouts | map(attribute='files') | sum(start=[]) -%}
{% for layout in layouts %}
lines_{{ loop.index }} as (
    {{ source_records(layout) }}
),

{{ checked_records('checked_' ~ loop.index, 'lines_' ~ loop.index, table.columns, layout, table.source.decimal_separator) }},

{% endfor -%}
checked as (
    {% for layout in layouts %}
    select * from checked_{{ loop.index }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

final as (
    select
        cast(source_file as enum ({{ sql_texts(files) }})) as source_file,
        {{ table.columns | map(attribute='name') | join(',\n        ') }},
        reasons,
        is_blank,
        raw_record
    from checked
)
{%- endmacro %}


{#- Where the lines of each file begin, and its header, from the CTE `lines` of row_id, source_file and is_blank. -#}
{% macro beginnings_of_files(lines, source) %}
{%- set has_header = 'false' if source.fields else is_text('source_file') -%}
final as (
    select
        source_file,
        min(row_id) as first_row_id,
        case when {{ has_header }} then min(row_id) filter (where not is_blank) end as header_row_id,
        count(*) filter (where not is_blank) as n_lines
    from {{ lines }}
    group by source_file
)
{%- endmacro %}


{#-
    A quoted field may contain line breaks: then the lines from the one where the quote opens to the one where it closes
    are one record. They are joined only where the whole record then has the right number of fields, and no line between them is a
    record by itself, so that a stray quote costs its own line and no other.
-#}
{% macro multiline_records(lines, table) %}
{%- set layouts = source_layouts(table.source, table.columns) | selectattr('delimiter') | rejectattr('delimiter', 'equalto', ' ') | list -%}
odd_lines as (
    select
        row_id as first_row_id,
        source_file,
        lead(row_id) over (
            partition by source_file
            order by row_id
        ) as last_row_id
    from {{ lines }}
    -- The first condition spares the others nearly all lines.
    where raw_record is not null and (length(raw_record) - length(replace(raw_record, '"', ''))) % 2 = 1
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
        string_agg(coalesce({{ lines }}.raw_record, ''), chr(10) order by {{ lines }}.row_id) as raw_record
    from spans
    inner join {{ lines }} on spans.row_id = {{ lines }}.row_id
    group by spans.first_row_id, spans.last_row_id, spans.source_file
    having not bool_or({{ lines }}.reasons is null and not {{ lines }}.is_blank)
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
    'checked_' ~ loop.index, 'split_' ~ loop.index, table.columns, layout, table.source.decimal_separator, ['first_row_id', 'last_row_id']
) }},
{% endfor %}

final as (
    select
        row_id as first_row_id,
        row_id as last_row_id,
        source_file,
        {{ table.columns | map(attribute='name') | join(',\n        ') }},
        reasons,
        is_blank,
        raw_record
    from {{ lines }}
    where false
    {% for layout in layouts %}
    union all
    select * from checked_{{ loop.index }}
    {% endfor %}
)
{%- endmacro %}


{#- The records below the headers: the lines that are one each, and those of several lines. -#}
{% macro records_below_headers(lines, files, multiline, table) %}
{%- set columns = table.columns | map(attribute='name') | join(',\n        ') -%}
-- Lines that are no records: headers, and those that a record of several lines is made of.
other_lines as (
    select header_row_id as row_id
    from {{ files }}
    union all
    select unnest(generate_series(first_row_id, last_row_id)) as row_id
    from {{ multiline }}
),

final as (
    select
        {{ lines }}.row_id,
        {{ lines }}.source_file,
        {{ columns }},
        {{ lines }}.reasons,
        {{ lines }}.raw_record
    from {{ lines }}
    anti join other_lines on {{ lines }}.row_id = other_lines.row_id
    where not {{ lines }}.is_blank
    union all
    select
        first_row_id as row_id,
        source_file,
        {{ columns }},
        reasons,
        raw_record
    from {{ multiline }}
)
{%- endmacro %}


{#-
    The one row that breaks: records below the headers = accepted + rejected. Records are counted on the lines as read, without the code
    that splits them.
-#}
{% macro records_unaccounted_for(lines, files, multiline, accepted, rejected) %}
with

lines as (
    select
        coalesce(sum(n_lines), 0) as n_lines,
        count(header_row_id) as n_headers
    from {{ files }}
),

continuation_lines as (
    select unnest(generate_series(first_row_id + 1, last_row_id)) as row_id
    from {{ multiline }}
),

continuations as (
    select count(*) as n_continuations
    from {{ lines }} as all_lines
    inner join continuation_lines on all_lines.rowid = continuation_lines.row_id
    where not all_lines.is_blank
),

counts as (
    select
        lines.n_lines,
        lines.n_headers,
        continuations.n_continuations,
        (select count(*) from {{ accepted }}) as n_accepted,
        (select count(*) from {{ rejected }}) as n_rejected
    from lines
    cross join continuations
),

final as (
    select *
    from counts
    where n_lines - n_headers - n_continuations <> n_accepted + n_rejected
)
{%- endmacro %}


{#- The one row that stops the build with a sentence: more than max_rejected_share of the records are refused. `n_accepted` is a query. -#}
{% macro too_many_refused(rejected, n_accepted, source, what_to_adapt) %}
with

rejected as (
    select * from {{ rejected }}
),

reasons as (
    select
        reasons,
        count(*) as n_times
    from rejected
    group by reasons
),

refused as (
    select
        coalesce(sum(n_times), 0) as n_rejected,
        max_by(n_times || ' times: ' || reasons, n_times) as commonest_reasons
    from reasons
),

counts as (
    select
        n_rejected,
        n_rejected + ({{ n_accepted }}) as n_records,
        commonest_reasons
    from refused
),

final as (
    select *
    from counts
    where
        case
            when n_rejected > {{ source.max_rejected_share }} * n_records
                then error(
                    n_rejected || ' of ' || n_records || ' rows of ' || {{ sql_texts([source.file]) }}
                    || ' are refused, more than the share of {{ source.max_rejected_share }} that is allowed (' || commonest_reasons
                    || '): query {{ rejected.identifier }} for all reasons, then mend the file, adapt the {{ what_to_adapt }} in '
                    || 'dbt_project.yml, vars, {{ source.block }}, or raise max_rejected_share there.'
                ) is not null
        end
)
{%- endmacro %}
