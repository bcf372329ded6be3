{#- What a source is. The macros behind this one take the layouts that it returns, and do not ask where they come from. -#}
{% macro source_layouts(table) %}
    {% set relation = source_relation(table.source) %}
    {% if not execute %}{% do return([]) %}{% endif %}
    {% set request = {'columns': _columns_to_find(table), 'invocation': invocation_id, 'notes': []} %}
    {% do _ask_source_files('layouts', table.source, request) %}
    {% if request.layouts is not defined %}
        {% do request.update(_ways_of_looking(relation)) %}
        {% do _ask_source_files('layouts', table.source, request) %}
    {% endif %}
    {% if request.layouts and request.layouts[0].in_doubt is not defined %}
        {% set in_doubt = columns_in_doubt(request.layouts, table) %}
        {% for layout in request.layouts %}
            {% do layout.update({'in_doubt': layout.columns | map(attribute='name') | select('in', in_doubt) | list}) %}
        {% endfor %}
    {% endif %}
    {% for note in request.notes %}{% do exceptions.warn(note) %}{% endfor %}
    {% do return(request.layouts) %}
{% endmacro %}


{#- What the plugin needs to look at a source for the first time: the SQL that reads and splits lines, or the columns of a relation. -#}
{% macro _ways_of_looking(relation) %}
    {% if relation %}{% do return({'relation': {'sql': relation | string, 'columns': _columns_of_relation(relation)}}) %}{% endif %}
    {% set splits = {} %}
    {#- With nothing found, every delimiter is as good as another, and the first one leaves most headers in one piece. -#}
    {% for delimiter in ['\t', ' ', ',', ';', '|'] %}
        {% do splits.update({delimiter: split_record('raw_record', delimiter)}) %}
    {% endfor %}
    {#- The smallest buffer that DuckDB takes: it is asked for first lines. -#}
    {% do return({
        'split_record': splits, 'read_lines': read_lines('$files', '$encoding', 'buffer_size = 2097152'), 'is_json_object': is_json_object('raw_record')
    }) %}
{% endmacro %}


{#- The columns to look for in a source: those of the key one by one, and none where there is no key. -#}
{% macro _columns_to_find(table) %}
    {% set key, others = table.key, table.columns[1:] %}
    {% if key.is_row_number %}{% do return(others) %}{% endif %}
    {% do return(key.columns | rejectattr('name', 'in', others | map(attribute='name') | list) | list + others if key.columns else table.columns) %}
{% endmacro %}


{#-
    The relation that a source is, none where it is files: what `relation` in dbt_project.yml says, ref('model'), source('name', 'table') or
    database.schema.table. While dbt parses, this tells it what is built before.
-#}
{% macro source_relation(source) %}
    {% set named = source.relation %}
    {% if not named %}{% do return(none) %}{% endif %}
    {% if named.kind == 'ref' %}
        {% set node = node_named(named.parts[0]) if execute else none %}
        {% if node and node.config.materialized == 'ephemeral' %}
            {% do configuration_error('source: relation: the model ' ~ named.parts[0] ~ ' is ephemeral; make it a view or a table', source.block) %}
        {% endif %}
        {% do return(ref(named.parts[0])) %}
    {% endif %}
    {% if named.kind == 'source' %}{% do return(builtins.source(named.parts[0], named.parts[1])) %}{% endif %}
    {% if not execute %}{% do return(none) %}{% endif %}
    {% set database = named.parts[0] if named.parts | length == 3 else published_database() %}
    {% set relation = adapter.get_relation(database=database, schema=named.parts[-2], identifier=named.parts[-1]) %}
    {% if not relation %}
        {% do configuration_error(
            'source: relation: there is no table ' ~ source.name ~ '; check the names, and that its database is listed under attach: in profiles.yml',
            source.block
        ) %}
    {% endif %}
    {% do return(relation) %}
{% endmacro %}


{#- {name of a column: whether it holds texts}. -#}
{% macro _columns_of_relation(relation) %}{% do return(adapter.dispatch('_columns_of_relation')(relation)) %}{% endmacro %}

{#- A query tells them for tables of every database; dbt would look in its own. -#}
{% macro duckdb___columns_of_relation(relation) %}
    {% set columns = {} %}
    {% for column in adapter.get_column_schema_from_query('select * from ' ~ relation ~ ' where false') %}
        {% do columns.update({column.name: column.is_string() or column.dtype.upper().startswith('ENUM')}) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}

{#- The plugin asks. -#}
{% macro spark___columns_of_relation(relation) %}{% do return(none) %}{% endmacro %}


{#- Runs after the table of lines is made, in its transaction: lines that cannot be used leave no table. -#}
{% macro require_usable_lines(lines, table) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set layouts, relation = source_layouts(table), source_relation(table.source) %}
    {% set unreadable = _first_unreadable_line(layouts) %}
    {% set query %}
        select
            cast(source_file as string) as source_file,
            count(*) as n_lines,
            count(*) filter (where not is_blank) as n_not_blank
        from {{ lines }}
        group by source_file
    {% endset %}
    {% set found = run_query(query).rows | map('list') | list %}
    {% set n_rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] if relation else none %}
    {% do _ask_source_files('check_lines', table.source, {'layouts': layouts, 'unreadable': unreadable, 'found': found, 'n_rows': n_rows}) %}
{% endmacro %}


{#- [file as it was opened, number of the line, kind of error] of the first line that could not be decoded; none where all could, or nothing tells. -#}
{% macro _first_unreadable_line(layouts) %}{% do return(adapter.dispatch('_first_unreadable_line')(layouts)) %}{% endmacro %}

{% macro default___first_unreadable_line(layouts) %}{% do return(none) %}{% endmacro %}

{#- The reader sets aside lines that it cannot decode, in a temporary table of the connection that has read. -#}
{% macro duckdb___first_unreadable_line(layouts) %}
    {% set opened = [] %}
    {% for layout in layouts if layout.delimiter %}{% do opened.extend(layout.opened.values()) %}{% endfor %}
    {% set query %}
        select reject_scans.file_path, reject_errors.line, reject_errors.error_type
        from reject_errors
        inner join reject_scans using (scan_id, file_id)
        where reject_scans.file_path in ({{ sql_texts(opened) }})
        order by reject_errors.scan_id desc, reject_errors.line
        limit 1
    {% endset %}
    {% do return(run_query(query).rows | map('list') | first if opened else none) %}
{% endmacro %}


{#- The files that the rows of a table with a source_file come from. -#}
{% macro files_of(relation) %}
    {% do return(run_query('select distinct source_file from ' ~ relation).columns[0].values() | list if execute else []) %}
{% endmacro %}


{#- Asks the plugin for a step; the answer comes back in the same dictionary. -#}
{% macro _ask_source_files(step, source, request) %}
    {% do request.update({'step': step, 'source': source}) %}
    {% do adapter.store_relation(plugin_of_sources(), none, [], '', '', request) %}
{% endmacro %}


{#- Stops dbt where a column has a name that the engine keeps for itself. -#}
{% macro require_names_without_keywords(columns) %}
    {% for keyword in _keywords_among(columns | map(attribute='name') | list) %}
        {% do configuration_error('the name ' ~ keyword ~ ' is a keyword of SQL; choose another one, such as ' ~ keyword ~ '_value', 'segmentation') %}
    {% endfor %}
{% endmacro %}


{#- The names that cannot be those of columns. To Spark any name can. -#}
{% macro _keywords_among(names) %}{% do return(adapter.dispatch('_keywords_among')(names)) %}{% endmacro %}

{% macro default___keywords_among(names) %}{% do return([]) %}{% endmacro %}

{#- DuckDB is asked, so this needs a connection. -#}
{% macro duckdb___keywords_among(names) %}
    {% set query %}
        select keyword_name
        from duckdb_keywords()
        where keyword_category in ('reserved', 'type_function') and keyword_name in ({{ sql_texts(names) }})
        order by keyword_name
    {% endset %}
    {% do return(run_query(query).columns[0].values()) %}
{% endmacro %}


{#- Writes the rows of a relation, named as `relation` of a source, into a Parquet file: make init looks at that. -#}
{% macro copy_relation(relation, path) %}
    {% set source = {'relation': named_relation(relation, 'segmentation'), 'name': relation, 'block': 'segmentation'} %}
    {% do run_query('copy (from ' ~ source_relation(source) ~ ') to ' ~ "'" ~ path | replace("'", "''") ~ "' (format parquet)") %}
{% endmacro %}
