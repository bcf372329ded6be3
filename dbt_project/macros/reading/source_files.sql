{#- What a source is. The macros behind this one take the layouts that it returns, and do not ask where they come from. -#}
{% macro source_layouts(table) %}
    {% if not execute %}{% do return([]) %}{% endif %}
    {% set splits = {} %}
    {#- With nothing found, every delimiter is as good as another, and the first one leaves most headers in one piece. -#}
    {% for delimiter in ['\t', ' ', ',', ';', '|'] %}
        {% do splits.update({delimiter: split_record('raw_record', delimiter)}) %}
    {% endfor %}
    {#- The smallest buffer that DuckDB takes: it is asked for first lines. -#}
    {% set request = {
        'columns': table.columns, 'split_record': splits, 'invocation': invocation_id,
        'read_lines': read_lines('$files', '$encoding', 'buffer_size = 2097152'),
    } %}
    {% do _ask_source_files('layouts', table.source, request) %}
    {% if request.layouts and request.layouts[0].in_doubt is not defined %}
        {% set in_doubt = columns_in_doubt(request.layouts) %}
        {% for layout in request.layouts %}
            {% do layout.update({'in_doubt': layout.columns | map(attribute='name') | select('in', in_doubt) | list}) %}
        {% endfor %}
    {% endif %}
    {% do return(request.layouts) %}
{% endmacro %}


{#- Runs after the table of lines is made, in its transaction: lines that cannot be used leave no table. -#}
{% macro require_usable_lines(lines, table) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set layouts = source_layouts(table) %}
    {% set opened = [] %}
    {% for layout in layouts if layout.delimiter %}{% do opened.extend(layout.opened.values()) %}{% endfor %}
    {#- The reader sets aside lines that it cannot decode, in a temporary table of the connection that has read. -#}
    {% set query %}
        select reject_scans.file_path, reject_errors.line, reject_errors.error_type
        from reject_errors
        inner join reject_scans using (scan_id, file_id)
        where reject_scans.file_path in ({{ sql_texts(opened) }})
        order by reject_errors.scan_id desc, reject_errors.line
        limit 1
    {% endset %}
    {% set unreadable = run_query(query).rows | map('list') | first if opened else none %}
    {% set query %}
        select
            cast(source_file as varchar) as source_file,
            count(*) as n_lines,
            count(*) filter (where not is_blank) as n_not_blank
        from {{ lines }}
        group by source_file
    {% endset %}
    {% set found = run_query(query).rows | map('list') | list %}
    {% do _ask_source_files('check_lines', table.source, {'layouts': layouts, 'unreadable': unreadable, 'found': found}) %}
{% endmacro %}


{#- The files that the rows of a table with a source_file come from. -#}
{% macro files_of(relation) %}
    {% do return(run_query('select distinct source_file from ' ~ relation).columns[0].values() | list if execute else []) %}
{% endmacro %}


{#- Asks the plugin for a step; the answer comes back in the same dictionary. -#}
{% macro _ask_source_files(step, source, request) %}
    {% do request.update({'step': step, 'source': source}) %}
    {% do adapter.store_relation('source_files', none, [], '', '', request) %}
{% endmacro %}


{#- DuckDB is asked which words it keeps for itself, so this needs a connection. -#}
{% macro require_names_without_keywords(columns) %}
    {% set names = columns | map(attribute='name') | list %}
    {% set query %}
        select keyword_name
        from duckdb_keywords()
        where keyword_category in ('reserved', 'type_function') and keyword_name in ({{ sql_texts(names) }})
        order by keyword_name
    {% endset %}
    {% for keyword in run_query(query).columns[0].values() %}
        {% do configuration_error('the name ' ~ keyword ~ ' is a keyword of SQL; choose another one, such as ' ~ keyword ~ '_value', 'segmentation') %}
    {% endfor %}
{% endmacro %}
