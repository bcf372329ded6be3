{#-
    CTEs that end in `final`: every line of the files of a table, or row where they are Parquet or the source is a relation, split, typed and checked in
    one pass. `table` is what segmentation() or orders() returns. The name of the file is a value of an enum, which takes a number in each row.
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
        cast(source_file as enum ({{ sql_texts(layouts | map(attribute='files') | sum(start=[])) }})) as source_file,
        {{ table.columns | map(attribute='name') | join(',\n        ') }},
        {{ with_unread_attributes(table) }}
        reasons,
        is_blank,
        raw_record
    from checked
)
{%- endmacro %}


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
        from {{ read_lines(sql_list(layout.patterns.values()), "'" ~ layout.format ~ "'") }}
    {%- elif layout.delimiter -%}
        select
            {{ sql_texts(layout.files) if layout.files | length == 1 else 'filename' }} as source_file,
            raw_record,
            {{ split_record('raw_record', layout.delimiter) }} as _parts
        from {{ read_lines(sql_list(layout.patterns.values()), "'" ~ layout.format ~ "'") }}
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
            cast({{ quoted_name(header) }} as string) as {{ _text_of(name) }}
            {%- endfor %}
        from {{ layout.relation or 'read_parquet(' ~ sql_list(layout.patterns.values()) ~ ', hive_partitioning = false)' }}
{%- endmacro %}


{% macro _text_of(name) -%}_text_{{ name }}{%- endmacro %}


{#- The lines of text files, whole: U+10FFFF is set aside by Unicode never to be a character, so no line is split at it. -#}
{% macro read_lines(files, encoding, options='store_rejects = true') -%}
    read_csv(
        {{ files }}, encoding = {{ encoding }}, columns = {'raw_record': 'varchar'}, delim = chr(1114111), quote = '', escape = '',
        header = false, auto_detect = false, strict_mode = false, filename = true, hive_partitioning = false, {{ options }}
    )
{%- endmacro %}


{#- Whether a line is a JSON object. The other functions for JSON would stop the query at a line that is none, so they stand behind THEN. -#}
{% macro is_json_object(record, each_key_once=false) -%}
    case
        when json_valid({{ record }})
            then
                starts_with(ltrim({{ record }}, ' ' || chr(9)), '{')
                {%- if each_key_once %} and len(json_keys({{ record }})) = list_unique(json_keys({{ record }})){% endif %}
        else false
    end
{%- endmacro %}


{#- The text of every line of some of the files of a table, with its number: what base_..._lines does not keep of usable records. -#}
{% macro numbered_lines(files, table) -%}
    {%- for layout in source_layouts(table) if files %}
        {%- for file in layout.files if file in files %}
    select
        {{ sql_texts([file]) }} as source_file,
        row_number() over () as line_number,
        cast({{ 'raw_record' if layout.delimiter else 'to_json(raw_record)' }} as string) as raw_record
    from {{ read_lines(sql_list([layout.patterns[file]]), "'" ~ layout.format ~ "'") if layout.delimiter else '(' ~ _rows_of(layout) ~ ')' }}
    union all
        {%- endfor %}
    {%- endfor %}
    select
        cast(null as varchar) as source_file,
        cast(null as bigint) as line_number,
        cast(null as varchar) as raw_record
    where false
{%- endmacro %}
