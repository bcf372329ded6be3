{#-
    CTEs that end in `final`: every line of the files of a table, or row where they are Parquet or the source is a relation, split, typed and checked in
    one pass. `table` is what segmentation() or orders() returns.
-#}
{% macro checked_lines(table) %}
{%- if execute %}{% do require_names_without_keywords(table.columns) %}{% endif -%}
{%- set layouts = source_layouts(table) -%}
{% for layout in layouts %}
lines_{{ loop.index }} as (
    {{ lines_of(layout) }}
),

{{ checked_records('checked_' ~ loop.index, 'lines_' ~ loop.index, table, layout) }},

{% endfor -%}
checked as (
    {% for layout in layouts %}
    select * from checked_{{ loop.index }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

final as (
    select
        {{ and_positions() }}
        {{ one_of_few('source_file', layouts | map(attribute='files') | sum(start=[])) }} as source_file,
        {{ columns_read(table) | map(attribute='name') | join(',\n        ') }},
        {{ with_unread_attributes(table) }}
        reasons,
        is_blank,
        raw_record
    from checked
)
{%- endmacro %}


{#-
    The columns of a table that its lines have: the key, and those that one of the layouts has. What no file has costs nothing until it is read as NULL.
-#}
{% macro columns_read(table) %}
    {% set found = source_layouts(table) | map(attribute='columns') | sum(start=[]) | map(attribute='name') | list %}
    {% do return(table.columns[:1] + table.columns[1:] | selectattr('name', 'in', found) | list) %}
{% endmacro %}


{#-
    The lines of the text files of a layout with their fields as a list of texts, `_parts`, of JSON also with what kinds of values they are, `_types`; or the
    rows of a Parquet file or a relation.
-#}
{% macro lines_of(layout) -%}
    {%- if layout.delimiter == 'json' -%}
        {%- set is_whole = is_json_object('raw_record', each_key_once=layout.repeats) -%}
        select
            {{ sql_texts(layout.files) if layout.files | length == 1 else 'filename' }} as source_file,
            raw_record,
            {%- if layout.columns | selectattr('is_mixed') | list or layout.columns | selectattr('may_be_nested') | list %}
            case when {{ is_whole }} then json_type(raw_record, {{ sql_list(layout.fields.values()) }}) end as _types,
            {%- endif %}
            case when {{ is_whole }} then json_extract_string(raw_record, {{ sql_list(layout.fields.values()) }}) end as _parts
        from {{ lines_in(layout.patterns, layout.format) }}
    {%- elif layout.delimiter -%}
        select
            {{ sql_texts(layout.files) if layout.files | length == 1 else 'filename' }} as source_file,
            raw_record,
            {{ split_record('raw_record', layout.delimiter) }} as _parts
        from {{ lines_in(layout.patterns, layout.format) }}
    {%- else -%}
        {{ _rows_of(layout) }}
    {%- endif -%}
{%- endmacro %}


{#- The rows of a layout that has columns: those that are configured, each as a text, `_text_...`, and all of them as they are, raw_record. -#}
{% macro _rows_of(layout) -%}
        select
            {{ sql_texts(layout.files) }} as source_file,
            {{ made_row(layout.fields.values()) }} as raw_record
            {%- for name, header in layout.fields.items() %},
            {{ text_of_value(quoted_name(header)) }} as {{ _text_of(name) }}
            {%- endfor %}
        from {{ layout.relation or rows_in_parquet(layout.patterns.values()) }}
{%- endmacro %}


{% macro _text_of(name) -%}_text_{{ name }}{%- endmacro %}


{#- The lines of text files, whole: U+10FFFF is set aside by Unicode never to be a character, so no line is split at it. -#}
{% macro read_lines(files, encoding, options='store_rejects = true') -%}
    read_csv(
        {{ files }}, encoding = {{ encoding }}, columns = {'raw_record': 'varchar'}, delim = chr(1114111), quote = '', escape = '',
        header = false, auto_detect = false, strict_mode = false, filename = true, hive_partitioning = false, {{ options }}
    )
{%- endmacro %}


{#- The text of every line of some of the files of a table, with its number: what base_..._lines does not keep of usable records. -#}
{% macro numbered_lines(files, table) -%}
    {%- for layout in source_layouts(table) if files %}
        {%- for file in layout.files if file in files %}
    select
        {{ sql_texts([file]) }} as source_file,
        {{ position_in_file() }} as line_number,
        {{ 'raw_record' if layout.delimiter else row_as_json('raw_record') }} as raw_record
    from {{ lines_in({file: layout.patterns[file]}, layout.format) if layout.delimiter else '(' ~ _rows_of(layout) ~ ')' }}
    union all
        {%- endfor %}
    {%- endfor %}
    select
        cast(null as string) as source_file,
        cast(null as bigint) as line_number,
        cast(null as string) as raw_record
    where false
{%- endmacro %}
