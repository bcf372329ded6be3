{#- The lines of the text files of a layout, or the rows of its Parquet file, split into texts; to select from. -#}
{% macro source_records(layout) -%}
    {%- if layout.delimiter -%}
        select
            filename as source_file,
            raw_record,
            {{ split_record('raw_record', layout.delimiter) }} as _parts
        from {{ read_lines(layout.files, layout.format) }}
    {%- else -%}
        select
            {{ sql_texts(layout.files) }} as source_file,
            _parquet_row as raw_record,
            [{% for header in layout.fields.values() %}_parquet_row."{{ header | replace('"', '""') }}"::varchar{{ ', ' if not loop.last }}{% endfor %}] as _parts
        from read_parquet({{ exact_paths(layout.files) }}) as _parquet_row
    {%- endif -%}
{%- endmacro %}


{#- The records of one file as text, with their line numbers; to select from. -#}
{% macro numbered_records(file, source) -%}
    {%- set format = file_format(file, source) -%}
    select
        {{ sql_texts([file]) }} as source_file,
        row_number() over () as line_number,
        {% if format == 'parquet' -%}
        cast(to_json(_parquet_row) as varchar) as raw_record
        from read_parquet({{ exact_paths([file]) }}) as _parquet_row
        {%- else -%}
        raw_record
        from {{ read_lines([file], format) }}
        {%- endif -%}
{%- endmacro %}


{#- The files that hold a usable row whose key an earlier one has. -#}
{% macro files_with_duplicates(records, repeated, key) %}
    {% set query %}
        select distinct records.source_file
        from {{ records }} as records
        inner join {{ repeated }} as repeated on records.{{ key }} = repeated.{{ key }}
        where records.reasons is null and repeated.first_row_id < records.row_id
        order by records.source_file
    {% endset %}
    {% do return(run_query(query).columns[0].values() | list if execute else []) %}
{% endmacro %}


{#- U+10FFFF is set aside by Unicode never to be a character, so no line can contain it. -#}
{% macro impossible_character() %}chr(1114111){% endmacro %}


{#- The files that the configured path or glob stands for, grouped by format: parquet, or the encoding of the text. -#}
{% macro source_file_groups(source) %}
    {% set path = source.file | replace("'", "''") %}
    {% set files = run_query("select file from glob('" ~ path ~ "') order by file").columns[0].values() | list if execute else [] %}
    {% if execute and not files %}
        {% do exceptions.raise_compiler_error(
            'No file is found at ' ~ source.file ~ '; give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, relative to the folder of dbt_project.yml,'
            ~ " with --vars '{" ~ source.variable ~ ": path}', the environment variable " ~ source.variable | upper
            ~ ', or source: file in dbt_project.yml, vars, ' ~ source.block ~ '.'
        ) %}
    {% endif %}

    {% set groups = {} %}
    {% for file in files %}
        {% set format = file_format(file, source) %}
        {% do groups.setdefault(format, []).append(file) %}
    {% endfor %}
    {% set result = [] %}
    {% for format, files in groups.items() %}
        {% do result.append({'format': format, 'files': files}) %}
    {% endfor %}
    {% do return(result) %}
{% endmacro %}


{#- parquet, or the encoding of the text. -#}
{% macro file_format(file, source) %}
    {% do return('parquet' if file.lower().endswith(('.parquet', '.pq')) else text_encoding(file, source.encoding)) %}
{% endmacro %}


{#-
    The declared encoding, unless the file is UTF-16: read as UTF-8, that has zero bytes in its first readable line, and
    one with the high byte first opens with U+FFFE when it is read as UTF-16.
-#}
{% macro text_encoding(file, declared) %}
    {% if file.lower().endswith(('.xlsx', '.xls', '.ods')) %}
        {% do exceptions.raise_compiler_error(file ~ ' is a workbook; save its sheet as CSV.') %}
    {% elif file.lower().endswith('.zip') %}
        {% do exceptions.raise_compiler_error(file ~ ' is an archive; unpack it, or pack the file with gzip.') %}
    {% endif %}
    {% if '\0' not in first_line(file, 'utf-8') %}{% do return(declared | lower) %}{% endif %}
    {% if first_line(file, 'utf-16').startswith('\ufffe') %}
        {% do exceptions.raise_compiler_error(
            file ~ ' is UTF-16 with the high byte first, which DuckDB does not read; save it as UTF-8.'
        ) %}
    {% endif %}
    {% do return('utf-16') %}
{% endmacro %}


{#- A list of paths that are meant as they are: a bracket or star in the name of a file is no pattern. -#}
{% macro exact_paths(files) -%}
    {{ sql_list(files | map('replace', '[', '[[]') | map('replace', '*', '[*]') | map('replace', '?', '[?]') | list) }}
{%- endmacro %}


{#- The first line that can be read under the encoding and is not blank; empty where there is none. -#}
{% macro first_line(file, encoding) %}
    {% set query %}select raw_record from {{ read_lines([file], encoding) }} where trim(raw_record) <> '' limit 1{% endset %}
    {% set lines = run_query(query).columns[0].values() %}
    {% do return(lines[0] if lines else '') %}
{% endmacro %}


{#- The lines of text files; those that cannot be decoded go to the temporary table reject_errors. -#}
{% macro read_lines(files, encoding) -%}
    read_csv(
        {{ exact_paths(files) }}, columns = {'raw_record': 'varchar'}, delim = {{ impossible_character() }}, quote = '', escape = '',
        header = false, auto_detect = false, strict_mode = false, filename = true, store_rejects = true, encoding = '{{ encoding }}'
    )
{%- endmacro %}
