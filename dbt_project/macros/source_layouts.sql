{#-
    How the records of the source files are laid out: a list of {files, header_row_ids, delimiter, n_fields, fields},
    where `fields` maps every configured column to its position in the record (text) or its name in the row (Parquet,
    delimiter none). Files that agree share a layout, so that each layout is read in one pass.

    The delimiter is the one under which most configured columns are found. A file that cannot be laid out stops dbt.
-#}
{% macro source_layouts(records) %}
    {% if not execute %}{% do return([]) %}{% endif %}
    {% set settings = segmentation() %}
    {% set columns = [settings.key] + settings.attributes + settings.features %}

    {% set layouts = {} %}
    {% for file, headers in source_headers(records, columns).items() %}
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
        {% for cell in cells if cell.column_name %}
            {% do fields.update({cell.column_name: cell.header if best.delimiter == 'parquet' else cell.position}) %}
        {% endfor %}
        {% set layout = layouts.setdefault(tojson([best.delimiter, cells | length, fields], sort_keys=true), {
            'delimiter': none if best.delimiter == 'parquet' else best.delimiter,
            'n_fields': columns | length if best.delimiter == 'parquet' else cells | length, 'fields': fields, 'files': [], 'header_row_ids': []
        }) %}
        {% do layout.files.append(file) %}
        {% if layout.delimiter %}{% do layout.header_row_ids.append(cells[0].row_id) %}{% endif %}
    {% endfor %}
    {% do return(layouts.values() | list) %}
{% endmacro %}


{#- {file: {delimiter: [{row_id, position, header, column_name}]}}; column_name is none for a header that nothing asks for. -#}
{% macro source_headers(records, columns) %}
    {% set query %}
        with

        first_records as (
            select
                source_file,
                min(rowid) as row_id,
                min_by(raw_record, rowid) as record
            from {{ records }}
            where trim(raw_record) <> ''
            group by source_file
        ),

        split as (
            {% for delimiter in [',', ';', '\t', '|'] %}
            select source_file, row_id, '{{ delimiter }}' as delimiter, {{ split_record('record', delimiter) }} as headers
            from first_records
            where {{ is_text('source_file') }}
            union all
            {% endfor %}
            select source_file, row_id, 'parquet', json_keys(record)
            from first_records
            where not {{ is_text('source_file') }}
        ),

        headers as (
            select source_file, row_id, delimiter, unnest(headers) as header, generate_subscripts(headers, 1) as position
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

        select headers.source_file, headers.delimiter, headers.row_id, headers.position, headers.header, columns.column_name
        from headers
        left join columns on {{ comparable_header('headers.header') }} = columns.comparable
        order by headers.source_file, headers.delimiter, headers.position, columns.column_name
    {% endset %}

    {% set files = {} %}
    {% for row in run_query(query) %}
        {% do files.setdefault(row['source_file'], {}).setdefault(row['delimiter'], []).append({
            'row_id': row['row_id'] | int, 'position': row['position'] | int,
            'header': row['header'], 'column_name': row['column_name']
        }) %}
    {% endfor %}
    {% do return(files) %}
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


{#- Runs behind base_customers, in its transaction: a file that cannot be used leaves the last good one in place. -#}
{% macro require_usable_source(records) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% do require_names_without_keywords() %}
    {% set files = [] %}
    {% for group in source_file_groups() %}
        {% do files.extend(group.files) %}
        {% if group.format != 'parquet' %}{% do require_readable_lines(group) %}{% endif %}
    {% endfor %}

    {% set filled = run_query('select distinct source_file from ' ~ records ~ " where trim(raw_record) <> ''").columns[0].values() %}
    {% for file in files if file not in filled %}
        {% do exceptions.raise_compiler_error(file ~ ' is empty; give a file with a header line and one line for each customer.') %}
    {% endfor %}

    {% set layouts = source_layouts(records) %}
    {% set laid_out = layouts | sum(attribute='files', start=[]) %}
    {% for file in files if file not in laid_out %}
        {% do exceptions.raise_compiler_error(
            file ~ ': the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed.'
        ) %}
    {% endfor %}
    {% set headers = layouts | sum(attribute='header_row_ids', start=[]) | length %}
    {% set n_records = run_query('select count(*) from ' ~ records ~ " where trim(raw_record) <> ''").columns[0].values()[0] | int %}
    {% if n_records == headers %}
        {% do exceptions.raise_compiler_error(
            files | join(', ') ~ ' has a header and no rows below it; give a file with one line for each customer.'
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
