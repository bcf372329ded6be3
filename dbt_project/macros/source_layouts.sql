{#-
    How the records of the source files are laid out: a list of {format, files, delimiter, n_fields, fields}, where `fields` maps every
    configured column to its position in the record (text) or its name in the row (Parquet, delimiter none). Text files that agree
    share a layout, so that each layout is read in one pass.

    The delimiter is the one under which most configured columns are found. A file that cannot be laid out stops dbt.
-#}
{% macro source_layouts(source, columns) %}
    {% if not execute %}{% do return([]) %}{% endif %}
    {% do require_names_without_keywords(columns) %}

    {% set layouts = {} %}
    {% for group in source_file_groups(source) %}
        {% for file in group.files %}
            {% set headers = source_headers(file, group.format, columns) %}
            {% set best = namespace(delimiter=none, found=-1) %}
            {% for delimiter in headers %}
                {% set found = headers[delimiter] | map(attribute='column_name') | select | list | unique | list | length %}
                {% if found > best.found %}
                    {% set best.delimiter, best.found = delimiter, found %}
                {% endif %}
            {% endfor %}
            {% set cells = headers[best.delimiter] %}
            {% do require_every_column(file, cells, columns) %}

            {% set fields = {} %}
            {% for column in columns %}
                {% set cell = cells | selectattr('column_name', 'equalto', column.name) | first %}
                {% do fields.update({column.name: cell.header if group.format == 'parquet' else cell.position}) %}
            {% endfor %}
            {% set is_parquet = group.format == 'parquet' %}
            {% set layout = layouts.setdefault(tojson([file if is_parquet else group.format, best.delimiter, cells | length, fields], sort_keys=true), {
                'format': group.format, 'files': [], 'delimiter': none if is_parquet else best.delimiter,
                'n_fields': columns | length if is_parquet else cells | length, 'fields': fields
            }) %}
            {% do layout.files.append(file) %}
        {% endfor %}
    {% endfor %}
    {% do return(layouts.values() | list) %}
{% endmacro %}


{#- {delimiter: [{position, header, column_name}]} of a file; column_name is none for a header that nothing asks for. -#}
{% macro source_headers(file, format, columns) %}
    {% if format == 'parquet' %}
        {% set candidates = {'parquet': sql_list(run_query('describe select * from read_parquet(' ~ exact_paths([file]) ~ ')').columns[0].values())} %}
    {% else %}
        {% set line = first_line(file, format) %}
        {% do require_readable_lines({'format': format, 'files': [file]}) %}
        {% if not line %}
            {% do exceptions.raise_compiler_error(file ~ ' is empty; give a file with a header line and one line for each record.') %}
        {% endif %}
        {% set candidates = {} %}
        {% for delimiter in [',', ';', '\t', '|'] %}
            {% do candidates.update({delimiter: split_record(sql_texts([line]), delimiter)}) %}
        {% endfor %}
    {% endif %}
    {% set query %}
        with

        split as (
            {% for delimiter, headers in candidates.items() %}
            select '{{ delimiter }}' as delimiter, {{ headers }} as headers
            {{ 'union all' if not loop.last }}
            {% endfor %}
        ),

        headers as (
            select delimiter, unnest(headers) as header, generate_subscripts(headers, 1) as position
            from split
        ),

        accepted (column_name, header) as (
            values
            {% for column in columns %}
                {% set last_column = loop.last %}
                {% for header in [column.name] + column.headers %}
            ('{{ column.name }}', '{{ header | replace("'", "''") }}'){{ ',' if not (loop.last and last_column) }}
                {% endfor %}
            {% endfor %}
        ),

        columns as (
            select distinct column_name, {{ comparable_header('header') }} as comparable from accepted
        )

        select headers.delimiter, headers.position, headers.header, columns.column_name
        from headers
        left join columns on {{ comparable_header('headers.header') }} = columns.comparable
        order by headers.delimiter, headers.position, columns.column_name
    {% endset %}

    {% set delimiters = {} %}
    {% for row in run_query(query) %}
        {% do delimiters.setdefault(row['delimiter'], []).append({
            'position': row['position'] | int, 'header': row['header'], 'column_name': row['column_name']
        }) %}
    {% endfor %}
    {% if not delimiters %}
        {% do exceptions.raise_compiler_error(
            file ~ ': the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed.'
        ) %}
    {% endif %}
    {% do return(delimiters) %}
{% endmacro %}


{% macro is_text(source_file) %}not regexp_matches(lower({{ source_file }}), '[.](parquet|pq)$'){% endmacro %}


{% macro comparable_header(header) %}lower(regexp_replace({{ header }}, '[\s_]+', '', 'g')){% endmacro %}


{% macro require_every_column(file, cells, columns) %}
    {% set missing = [] %}
    {% for column in columns %}
        {% set found = cells | selectattr('column_name', 'equalto', column.name) | map(attribute='header') | list %}
        {% if found | length > 1 %}
            {% do exceptions.raise_compiler_error(
                file ~ ' has more than one column for ' ~ column.name ~ ', "' ~ found | join('" and "')
                ~ '"; rename or remove all but one of them.'
            ) %}
        {% elif not found %}
            {% set nearest = nearest_header(cells, column) %}
            {% do missing.append(column.name ~ (' (the nearest header is "' ~ nearest ~ '")' if nearest else '')) %}
        {% endif %}
    {% endfor %}
    {% if missing %}
        {% do exceptions.raise_compiler_error(
            file ~ ' has no column for ' ~ missing | join(', nor for ') ~ '; its first line is "'
            ~ (cells | map(attribute='header') | map('default', '', true) | join(', '))[:200]
            ~ '"; rename the header in the file, or add it under headers: in dbt_project.yml, vars, segmentation; what the file does not have can be removed there.'
        ) %}
    {% endif %}
{% endmacro %}


{#- The header not yet in use that reads most like one of the accepted ones; none where nothing is close. -#}
{% macro nearest_header(cells, column) %}
    {% set candidates = cells | rejectattr('column_name') | map(attribute='header') | select | list %}
    {% if not candidates %}{% do return(none) %}{% endif %}
    {% set query %}
        select candidate
        from unnest([{{ sql_texts(candidates) }}]) as candidates (candidate)
        cross join unnest([{{ sql_texts([column.name] + column.headers) }}]) as accepted (header)
        -- Below 0.8 the suggestions are noise: unrelated English words score 0.4 to 0.7.
        where jaro_winkler_similarity({{ comparable_header('candidate') }}, {{ comparable_header('header') }}) > 0.8
        order by jaro_winkler_similarity({{ comparable_header('candidate') }}, {{ comparable_header('header') }}) desc, candidate
        limit 1
    {% endset %}
    {% set nearest = run_query(query).columns[0].values() %}
    {% do return(nearest[0] if nearest else none) %}
{% endmacro %}


{#- Runs behind the table of records, in its transaction: a file that cannot be used leaves the last good one in place. -#}
{% macro require_usable_source(records, source) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set files = [] %}
    {% for group in source_file_groups(source) %}
        {% do files.extend(group.files) %}
        {% if group.format != 'parquet' %}{% do require_readable_lines(group) %}{% endif %}
    {% endfor %}
    {% set query %}
        select
            count(*) filter (where not is_blank) as n_records,
            count(distinct source_file) filter (where {{ is_text('source_file') }}) as n_headers
        from {{ records }}
    {% endset %}
    {% set counts = run_query(query)[0] %}
    {% if counts['n_records'] == counts['n_headers'] %}
        {% do exceptions.raise_compiler_error(
            files | join(', ') ~ ' has a header and no rows below it; give a file with one line for each record.'
        ) %}
    {% endif %}
{% endmacro %}


{#- The reader sets aside the lines that it cannot decode, in a temporary table of the connection that has just read. -#}
{% macro require_readable_lines(group) %}
    {% set query %}
        select reject_scans.file_path, reject_errors.line, reject_errors.error_type
        from reject_errors
        inner join reject_scans using (scan_id, file_id)
        where reject_scans.file_path in ({{ sql_texts(group.files) }})
        order by reject_errors.scan_id desc, reject_errors.line
        limit 1
    {% endset %}
    {% for row in run_query(query) %}
        {% do exceptions.raise_compiler_error(
            row['file_path'] ~ ', line ' ~ row['line'] ~ ', ' ~ (
                'is not ' ~ group.format ~ ' text; save the file as UTF-8, or set encoding: latin-1 under source: in dbt_project.yml, vars, segmentation.'
                if row['error_type'] == 'INVALID ENCODING'
                else 'cannot be read as text (' ~ row['error_type'] | lower ~ '); is this a text file?'
            )
        ) %}
    {% endfor %}
{% endmacro %}
