{#-
    How the records of the source files are laid out: a list of {format, files, delimiter, n_fields, columns, fields}, where `columns` are
    the configured ones that the files have, and `fields` maps each to its position in the record (text) or its name in the row (Parquet,
    delimiter none). Text files that agree share a layout, so that each layout is read in one pass.

    The delimiter is the one under which most configured columns are found. A file that cannot be laid out stops dbt.
-#}
{% macro source_layouts(source, columns) %}
    {% if not execute %}{% do return([]) %}{% endif %}
    {% do require_names_without_keywords(columns) %}

    {% set layouts = {} %}
    {% for group in source_file_groups(source) %}
        {% for file in group.files %}
            {% set headers = source_headers(file, group.format, columns, source) %}
            {% set best = namespace(delimiter=none, found=-1) %}
            {% for delimiter in headers %}
                {% set found = headers[delimiter] | map(attribute='column_name') | select | list | unique | list | length %}
                {% if found > best.found %}
                    {% set best.delimiter, best.found = delimiter, found %}
                {% endif %}
            {% endfor %}
            {% set cells = headers[best.delimiter] %}
            {% do require_every_column(file, cells, columns, source) %}

            {% set fields = {} %}
            {% set columns_here = columns_found(cells, columns) %}
            {% for column in columns_here %}
                {% set cell = cells | selectattr('column_name', 'equalto', column.name) | first %}
                {% do fields.update({column.name: cell.header if group.format == 'parquet' else cell.position}) %}
            {% endfor %}
            {% set is_parquet = group.format == 'parquet' %}
            {% set layout = layouts.setdefault(tojson([file if is_parquet else group.format, best.delimiter, cells | length, fields], sort_keys=true), {
                'format': group.format, 'files': [], 'delimiter': none if is_parquet else best.delimiter,
                'n_fields': columns_here | length if is_parquet else cells | length, 'columns': columns_here, 'fields': fields
            }) %}
            {% do layout.files.append(file) %}
        {% endfor %}
    {% endfor %}
    {% do return(layouts.values() | list) %}
{% endmacro %}


{#-
    The configured columns that a file has. What makes up for one that it has not (`instead`) is required of every record; where nothing
    has to be made up for, a column that is there for that alone is not read.
-#}
{% macro columns_found(cells, columns) %}
    {% set names = cells | map(attribute='column_name') | list %}
    {% set needed = columns | selectattr('instead', 'defined') | rejectattr('name', 'in', names) | map(attribute='instead') | sum(start=[]) %}
    {% set found = [] %}
    {% for column in columns if column.name in names and (column.name in needed or not column.is_substitute) %}
        {% do found.append(dict(column, missing='reject') if column.name in needed else column) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}


{#- {delimiter: [{position, header, column_name}]} of a file; column_name is none for a header that nothing asks for. -#}
{% macro source_headers(file, format, columns, source) %}
    {% if format == 'parquet' %}
        {% set candidates = {'parquet': sql_list(run_query('describe select * from read_parquet(' ~ exact_paths([file]) ~ ')').columns[0].values())} %}
    {% else %}
        {% set line = first_line(file, format) %}
        {% do require_readable_lines({'format': format, 'files': [file]}, source) %}
        {% if not line %}
            {% do exceptions.raise_compiler_error(file ~ ' is empty; give a file with a header line and one line for each record.') %}
        {% endif %}
        {% set candidates = {} %}
        {#- A quote that is left open says nothing of spaces, between which there are no quoted fields. -#}
        {% for delimiter in [',', ';', '\t', '|', ' '] if delimiter != ' ' or source.fields or '"' not in line %}
            {% set parts = split_record(sql_texts([line]), delimiter) %}
            {% do candidates.update({delimiter: names_of_fields(parts, source.fields) if source.fields else parts}) %}
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
    {% for row in run_query(query) if row['delimiter'] %}
        {% do delimiters.setdefault(row['delimiter'], []).append({
            'position': row['position'] | int, 'header': row['header'], 'column_name': row['column_name']
        }) %}
    {% endfor %}
    {% if not delimiters %}
        {% if source.fields %}
            {% do exceptions.raise_compiler_error(
                file ~ ': its first line does not have the ' ~ source.fields | length ~ ' fields that fields: in dbt_project.yml, vars, ' ~ source.block
                ~ ' names, whatever it is split by; name every field of the file, in order.'
            ) %}
        {% endif %}
        {% do exceptions.raise_compiler_error(
            file ~ ': the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed.'
        ) %}
    {% endif %}
    {% do return(delimiters) %}
{% endmacro %}


{#- The declared names of the fields of a file without a header, where the first line has as many; otherwise NULL. -#}
{% macro names_of_fields(parts, fields) %}case when len({{ parts }}) = {{ fields | length }} then {{ sql_list(fields) }} end{% endmacro %}


{% macro is_text(source_file) %}not regexp_matches(lower({{ source_file }}), '[.](parquet|pq)$'){% endmacro %}


{% macro comparable_header(header) %}lower(regexp_replace({{ header }}, '[\s_]+', '', 'g')){% endmacro %}


{% macro require_every_column(file, cells, columns, source) %}
    {% set missing = [] %}
    {% set names = cells | map(attribute='column_name') | list %}
    {% for column in columns %}
        {% set found = cells | selectattr('column_name', 'equalto', column.name) | map(attribute='header') | list %}
        {% if found | length > 1 %}
            {% do exceptions.raise_compiler_error(
                file ~ ' has more than one column for ' ~ column.name ~ ', "' ~ found | join('" and "')
                ~ '"; rename or remove all but one of them.'
            ) %}
        {% elif not found and column.is_optional %}
        {% elif not found and column.instead and column.instead | select('in', names) | list | length == column.instead | length %}
        {% elif not found %}
            {% set nearest = nearest_header(cells, column) %}
            {% do missing.append(
                column.name ~ (' or ' ~ column.instead | join(' and ') if column.instead else '')
                ~ (' (the nearest header is "' ~ nearest ~ '")' if nearest else '')
            ) %}
        {% endif %}
    {% endfor %}
    {% if missing %}
        {% do exceptions.raise_compiler_error(
            file ~ ' has no column for ' ~ missing | join(', nor for ') ~ '; its first line is "'
            ~ (cells | map(attribute='header') | map('default', '', true) | join(', '))[:200]
            ~ '"; rename the header in the file, or add it under headers: in dbt_project.yml, vars, ' ~ source.block
            ~ ('; what the file does not have can be removed there.' if source.block == 'segmentation' else '; where there is no header, name its fields under fields: there.')
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


{#- Runs behind the table of records, in its transaction: one that cannot be used leaves no table. -#}
{% macro require_usable_source(records, source) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set files = [] %}
    {% for group in source_file_groups(source) %}
        {% do files.extend(group.files) %}
        {% if group.format != 'parquet' %}{% do require_readable_lines(group, source) %}{% endif %}
    {% endfor %}
    {% set query %}
        with

        files as (
            select source_file, count(*) filter (where not is_blank) as n_records
            from {{ records }}
            group by source_file
        )

        select
            coalesce(sum(n_records), 0) as n_records,
            count(*) filter (where {{ 'false' if source.fields else is_text('source_file') }}) as n_headers
        from files
    {% endset %}
    {% set counts = run_query(query)[0] %}
    {% if counts['n_records'] == counts['n_headers'] %}
        {% do exceptions.raise_compiler_error(
            files | join(', ') ~ ' has a header and no rows below it; give a file with one line for each record.'
        ) %}
    {% endif %}
{% endmacro %}


{#- The reader sets aside the lines that it cannot decode, in a temporary table of the connection that has just read. -#}
{% macro require_readable_lines(group, source) %}
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
                'is not ' ~ group.format ~ ' text; save the file as UTF-8, or set encoding: latin-1 under source: in dbt_project.yml, vars, ' ~ source.block ~ '.'
                if row['error_type'] == 'INVALID ENCODING'
                else 'cannot be read as text (' ~ row['error_type'] | lower ~ '); is this a text file?'
            )
        ) %}
    {% endfor %}
{% endmacro %}
