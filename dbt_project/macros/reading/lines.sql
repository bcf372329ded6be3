{#-
    CTEs that end in `final`: every line of the files of a table, or row where they are Parquet, split, typed and checked in one pass. `table` is what
    segmentation() or orders() returns. The name of the file is a value of an enum, which takes a number in each row.
-#}
{% macro checked_lines(table) %}
{%- if execute %}{% do require_names_without_keywords(table.columns) %}{% endif -%}
{%- set layouts = source_layouts(table) -%}
{% for layout in layouts %}
lines_{{ loop.index }} as (
    {{ _lines_of(layout) }}
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
        unread_attributes,
        reasons,
        is_blank,
        raw_record
    from checked
)
{%- endmacro %}


{#- The lines of the text files of a layout, or the rows of its Parquet file, with their fields as a list of texts, `_parts`. -#}
{% macro _lines_of(layout) -%}
    {%- if layout.delimiter -%}
        select
            {{ sql_texts(layout.files) if layout.files | length == 1 else 'filename' }} as source_file,
            raw_record,
            {{ split_record('raw_record', layout.delimiter) }} as _parts
        from {{ read_lines(sql_list(layout.patterns.values()), "'" ~ layout.format ~ "'") }}
    {%- else -%}
        select
            {{ sql_texts(layout.files) }} as source_file,
            _parquet_row as raw_record,
            [{% for header in layout.fields.values() %}_parquet_row."{{ header | replace('"', '""') }}"::varchar{{ ', ' if not loop.last }}{% endfor %}] as _parts
        from read_parquet({{ sql_list(layout.patterns.values()) }}, hive_partitioning = false) as _parquet_row
    {%- endif -%}
{%- endmacro %}


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
        row_number() over () as line_number,
        {% if layout.delimiter -%}
        raw_record
    from {{ read_lines(sql_list([layout.patterns[file]]), "'" ~ layout.format ~ "'") }}
        {%- else -%}
        cast(to_json(_parquet_row) as varchar) as raw_record
    from read_parquet({{ sql_list([layout.patterns[file]]) }}, hive_partitioning = false) as _parquet_row
        {%- endif %}
    union all
        {%- endfor %}
    {%- endfor %}
    select
        cast(null as varchar) as source_file,
        cast(null as bigint) as line_number,
        cast(null as varchar) as raw_record
    where false
{%- endmacro %}
