{#-
    The fields of a text record as a list, or NULL where its quotes are not balanced (RFC 4180, section 2, rules 5 to 7: a field is quoted as a whole, and
    a quote within it is doubled). Spaces may stand around the quotes; to look for them costs less than to allow for them. The delimiter ' ' stands for
    any number of spaces: columns of a fixed width, without quotes.
-#}
{% macro split_record(record, delimiter) %}
    {%- if delimiter == ' ' -%}
    {{ items_that(parts_of_text(record, ' '), 'field', "field <> ''") }}
    {%- else -%}
    case
        when not contains({{ record }}, '"') then {{ parts_of_text(record, delimiter) }}
        when contains({{ record }}, ' "') or contains({{ record }}, '" ')
            then {{ _quoted_fields(record, delimiter, ' *', '[^ ', 'trim(substr(piece, 2))') }}
        else {{ _quoted_fields(record, delimiter, '', '[^', 'substr(piece, 2)') }}
    end
    {%- endif -%}
{%- endmacro %}


{#-
    The fields of a record that has quotes: each with the delimiter before it, and with `spaces` around its quotes. One without quotes begins with a sign
    of the class `unquoted` that goes on here; `text` is what is behind the delimiter of a piece, without the spaces around quotes.
-#}
{% macro _quoted_fields(record, delimiter, spaces, unquoted, text) -%}
    {%- set regex_delimiter = {'\t': '\\t', '|': '\\|'}.get(delimiter, delimiter) -%}
    {%- set unquoted = unquoted ~ regex_delimiter ~ '"\\n][^' ~ regex_delimiter ~ '\\n]*' -%}
    {%- set field = regex_delimiter ~ spaces ~ '(?:"[^"]*(?:""[^"]*)*"' ~ spaces ~ '|' ~ unquoted ~ '|)' -%}
    {%- set fields = all_extracted(sql_texts([delimiter]) ~ ' || ' ~ record, field) -%}
    {%- set unquoted_field -%}
        case
            when substr({{ text }}, 1, 1) = '"' then replace(substr({{ text }}, 2, length({{ text }}) - 2), '""', '"')
            else substr(piece, 2)
        end
    {%- endset -%}
    {%- set unquoted_fields -%}
        case
            when {{ joined_list('fields', '') }} = {{ sql_texts([delimiter]) }} || {{ record }}
                then {{ made_of_each('fields', 'piece', unquoted_field) }}
        end
    {%- endset -%}
    {{ with_name('fields', fields, unquoted_fields) }}
{%- endmacro %}


{#-
    CTEs that end in `final`: the records of several lines. A quoted field may contain line breaks: then the lines from the one where the quote opens to
    the one where it closes are one record. They are joined only where the whole record then has the right number of fields, and no line before the last
    is a record by itself, so that a stray quote costs its own line and no other. The last line may look like one: it is whole but for the quote where
    the first field of a record has line breaks.
-#}
{% macro multiline_records(lines, table) %}
{%- set all_layouts = source_layouts(table) -%}
{%- set layouts = all_layouts | selectattr('delimiter', 'in', ['\t', ',', ';', '|']) | list -%}
{%- set has_preambles = n_lines_of_preambles(all_layouts) -%}
{%- if layouts and has_preambles -%}
{{ beginnings_of_files(lines, all_layouts) }},

{% endif -%}
{%- if layouts -%}
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
    {%- if has_preambles %}
        and row_id not in (select {{ numbers_between('first_row_id', 'first_row_id + n_lines_above - 1') }} from files)
    {%- endif %}
),

spans as (
    select
        first_row_id,
        last_row_id,
        source_file,
        {{ numbers_between('first_row_id', 'last_row_id') }} as row_id
    from odd_lines
    -- Longer than any address or comment; it bounds the work that two stray quotes far apart can cause.
    where last_row_id - first_row_id <= 100
),

candidates as (
    select
        spans.first_row_id,
        spans.last_row_id,
        spans.source_file,
        {{ joined_texts('coalesce(' ~ lines ~ ".raw_record, '')", '\n', lines ~ '.row_id') }} as raw_record
    from spans
    inner join {{ lines }} on spans.row_id = {{ lines }}.row_id
    group by spans.first_row_id, spans.last_row_id, spans.source_file
    having not bool_or({{ lines }}.reasons is null and not {{ lines }}.is_blank and spans.row_id < spans.last_row_id)
),

{% endif -%}
{% for layout in layouts %}
split_{{ loop.index }} as (
    select
        *,
        {{ split_record('raw_record', layout.delimiter) }} as _parts
    from candidates
    where
        source_file in ({{ sql_texts(layout.files) }})
        and {{ n_items(split_record('raw_record', layout.delimiter)) }} between {{ layout.n_needed }} and {{ layout.n_fields }}
),

{{ checked_records('checked_' ~ loop.index, 'split_' ~ loop.index, table, layout, ['first_row_id', 'last_row_id'], keeps_text='true') }},
{% endfor %}

final as (
    select
        row_id as first_row_id,
        row_id as last_row_id,
        source_file,
        {{ columns_read(table) | map(attribute='name') | join(',\n        ') }},
        {{ with_unread_attributes(table) }}
        reasons,
        is_blank,
        raw_record
    from {{ lines }}
    where false
    {% for layout in layouts %}
    union all
    -- A line that ends one record begins no other.
    select * from checked_{{ loop.index }}
    where first_row_id not in (select last_row_id from checked_{{ loop.index }})
    {% endfor %}
)
{%- endmacro %}


{#-
    CTEs that end in one called `name`: the records below the headers, those that are one line each and those of several, with all columns of the table.
-#}
{% macro records_below_headers(lines, multiline, table, name='final') %}
{%- set key, read, columns = table.key, columns_read(table), [] -%}
{%- for column in table.columns[1:] -%}
    {%- do columns.append(column.name if column in read else 'cast(null as ' ~ sql_type(column.data_type) ~ ') as ' ~ column.name) -%}
{%- endfor -%}
{%- set layouts = source_layouts(table) -%}
{{ beginnings_of_files(lines, layouts) }},

-- Lines that are no records: headers, and those that a record of several lines is made of.
other_lines as (
    select header_row_id as row_id
    from files
    union all
    {%- if n_lines_of_preambles(layouts) %}
    select {{ numbers_between('first_row_id', 'first_row_id + n_lines_above - 1') }} as row_id
    from files
    union all
    {%- endif %}
    select {{ numbers_between('first_row_id', 'last_row_id') }} as row_id
    from {{ multiline }}
),

{{ name }} as {{ without_a_copy() }} (
    select
        {{ lines }}.row_id,
        {{ lines }}.source_file,
        {# Customers without a key have the number of their row, from 1. #}
        {{ lines ~ '.row_id + 1 as ' if key.is_row_number }}{{ key.name }},
        {{ columns | join(',\n        ') }},
        {{ with_unread_attributes(table, lines ~ '.') }}
        {{ lines }}.reasons,
        {{ lines }}.raw_record
    from {{ lines }}
    anti join other_lines on {{ lines }}.row_id = other_lines.row_id
    where not {{ lines }}.is_blank
    union all
    select
        first_row_id as row_id,
        source_file,
        {{ 'first_row_id + 1 as ' if key.is_row_number }}{{ key.name }},
        {{ columns | join(',\n        ') }},
        {{ with_unread_attributes(table) }}
        reasons,
        raw_record
    from {{ multiline }}
)
{%- endmacro %}


{#-
    The CTE `files`: the first_row_id of each file in a table of lines; n_lines_above its header or its first record, where that are more than blank ones;
    and the header_row_id, NULL where there is no header: of its first line that is not blank, or of the one below the preamble.
-#}
{% macro beginnings_of_files(lines, layouts) -%}
{%- set n_lines_above = _n_lines_above('source_file', layouts) if n_lines_of_preambles(layouts) else none -%}
files as (
    select
        source_file,
        min(row_id) as first_row_id,
        {{ n_lines_above or 0 }} as n_lines_above,
        case
            when not {{ has_header('source_file', layouts) }} then null
            {%- if n_lines_above %}
            when {{ n_lines_above }} > 0 then min(row_id) + {{ n_lines_above }}
            {%- endif %}
            else min(row_id) filter (where not is_blank)
        end as header_row_id
    from {{ lines }}
    group by source_file
)
{%- endmacro %}


{#- The number of lines in the preamble of a file, blank ones counted. -#}
{% macro _n_lines_above(source_file, layouts) -%}
    case {{ source_file }}
        {%- for layout in layouts %}
        {%- for file, (n_lines, _) in layout.preambles.items() %}
        when {{ sql_texts([file]) }} then {{ n_lines }}
        {%- endfor %}
        {%- endfor %}
        else 0
    end
{%- endmacro %}


{#- How many lines of the preambles of all files are not blank, as they were counted when the files were looked at. -#}
{% macro n_lines_of_preambles(layouts) %}
    {% set counts = [] %}
    {% for layout in layouts %}{% do counts.extend(layout.preambles.values() | map(attribute=1)) %}{% endfor %}
    {% do return(counts | sum) %}
{% endmacro %}


{#- The number of a record's (first) line, from that of the lines before it in its file; NULL where rows are in no order. -#}
{% macro line_number(n_lines_before, table) -%}
    {{ n_lines_before ~ ' + 1' if has_line_numbers(table) else 'cast(null as bigint)' }}
{%- endmacro %}


{#- Whether the rows of a source have numbers. The rows of a relation are in no order. -#}
{% macro has_line_numbers(table) %}{% do return(not table.source.relation and files_have_line_numbers(table)) %}{% endmacro %}


{#- Parquet, relations, JSON and workbooks have no header among their records, nor has any file of a source whose fields the configuration names. -#}
{% macro has_header(source_file, layouts) -%}
    {%- set without = layouts | rejectattr('has_header') | map(attribute='files') | sum(start=[]) -%}
    {{ source_file ~ ' not in (' ~ sql_texts(without) ~ ')' if without else 'true' }}
{%- endmacro %}
