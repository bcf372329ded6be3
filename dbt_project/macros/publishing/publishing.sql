{#-
    Write, audit, publish. A build works in the two files of the profile; a copy of the first is published only when a full
    `dbt build` ran to its end and nothing failed. The plugin in dbt_project/plugins does what SQL cannot.
-#}


{#- Asks the plugin for a step; the answer comes back in the same dictionary. -#}
{% macro _publishing_step(step, request) %}
    {% do request.update({'step': step, 'schema': target.schema}) %}
    {% do adapter.store_relation('publishing' if target.type == 'duckdb' else 'spark_publishing', none, [], '', '', request) %}
    {% do return(request) %}
{% endmacro %}


{#- The tables that a build appends to, (database, schema, name): what they hold cannot be made again. -#}
{% macro _state_places() %}
    {% do return(_places_of(graph.nodes.values() | selectattr('config.materialized', 'equalto', 'incremental')) + _places_of_old_histories()) %}
{% endmacro %}


{#-
    The names of the tables in which the first segmentation keeps its state; those of every other one end in them. A build may go without any of them.
-#}
{% macro _names_of_state() %}
    {% set names = ['customer_clusters', 'customer_segment_history'] %}
    {% for node in graph.nodes.values() if node.config.materialized == 'incremental' and node.name != 'builds' %}
        {% do names.append(node.name.removeprefix(segmentation_prefix(node))) %}
    {% endfor %}
    {% do return(names | unique | list) %}
{% endmacro %}


{% macro _places_of(nodes) %}
    {% set places = [] %}
    {% for node in nodes %}{% do places.append((node.database, node.schema, node.alias)) %}{% endfor %}
    {% do return(places) %}
{% endmacro %}


{#-
    What each build replaces as a whole and the next one still asks for: {the labels of every segmentation, and the scores from orders: their columns}.
-#}
{% macro _columns_of_last_tables() %}
    {% set columns = {} %}
    {% for node in graph.nodes.values() %}
        {% if node.name == segmentation_prefix(node) ~ 'customer_clusters' %}{% do columns.update({node.name: columns_of_labels()}) %}{% endif %}
        {% if node.name == 'rfm_scores' %}{% do columns.update({node.name: columns_of_scores()}) %}{% endif %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}


{#- The same on DuckDB: [(the place of the table, the place where the last one is put aside, its columns)]. -#}
{% macro _last_tables() %}
    {% set tables = [] %}
    {% for name, columns in _columns_of_last_tables().items() %}
        {% set last = last_table(name) %}
        {% do tables.append((_places_of([node_named(name)])[0], (last.database, last.schema, last.identifier), columns)) %}
    {% endfor %}
    {% do return(tables) %}
{% endmacro %}


{#- Of the files that builds work in, and of no other that a profile may attach. -#}
{% macro _build_databases() %}{% do return([target.database, 'scratch']) %}{% endmacro %}


{#-
    Readers see what is in the file of the profile's `path`, and some views that are made only there: [{schema, name, query, description, columns: {name:
    description}}]. Each mart that is ephemeral is one: what can be computed when somebody asks costs a build nothing. The accepted customers are what
    stands in the columns of another table; this spares a copy of every one, and goes without what is personal.
-#}
{% macro _published_views() %}
    {% set views = [] %}
    {% if has_customers() %}
        {% set settings = segmentation('') %}
        {% set columns = ([settings.key] + settings.attributes + settings.features) | map(attribute='name') | join(', ') %}
        {% set node = node_named('stg_customers') %}
        {% do views.append(_described_view(node, 'select ' ~ columns ~ ' from ' ~ node.schema ~ '.customer_segments')) %}
    {% endif %}
    {% for node in graph.nodes.values() if node.config.materialized == 'ephemeral' and node.fqn[1] == 'marts' %}
        {#- Dbt refuses a ref() to what the node in whose place this is rendered is not known to depend on. -#}
        {% do ref.model.depends_on.nodes.extend(node.depends_on.nodes) %}
        {% do graph.update({'rendered_node': node}) %}
        {% for hook in node.config['pre-hook'] %}{% do render(hook.sql) %}{% endfor %}
        {% do views.append(_described_view(node, render(node.raw_code))) %}
        {% do graph.update({'rendered_node': none}) %}
    {% endfor %}
    {% do return(views) %}
{% endmacro %}


{% macro _described_view(node, query) %}
    {% do return({
        'schema': node.schema, 'name': node.alias, 'query': query, 'description': node.description, 'columns': _described_columns(node)
    }) %}
{% endmacro %}


{#- {name: description}: those in the YAML files, and those that come from the configuration. -#}
{% macro _described_columns(node) %}
    {% set columns = {} %}
    {% for column in (node.columns.values() | list) + graph.get('declared_columns', {}).get(node.unique_id, []) %}
        {% do columns.update({column.name: column.description}) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}


{#- Whether dbt was asked for everything. The arguments tell, because the graph does not list unit tests; dbt retry has those of what it tries again. -#}
{% macro _is_full_build() %}
    {% set limits = ['select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types', 'empty', 'sample'] %}
    {% set given = [] %}
    {% for limit in limits if invocation_args_dict.get(limit) %}{% do given.append(limit) %}{% endfor %}
    {% do return(flags.WHICH == 'build' and not given and 'retry' not in invocation_args_dict.invocation_command.split()) %}
{% endmacro %}


{#- Runs before everything else: a full build goes on from the last published one. Any other command keeps what is there. -#}
{% macro start_build() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set kept_builds = _kept_builds() %}
    {% do adapter.dispatch('begin_build')(kept_builds) %}
    {% if flags.WHICH in ['build', 'run'] %}{% do _decide_build_time() %}{% endif %}
{% endmacro %}


{% macro duckdb__begin_build(kept_builds) %}
    {% if _is_full_build() %}
        {% set request = _publishing_step('begin', {
            'databases': _build_databases(), 'state': _state_places(), 'names_of_state': _names_of_state(), 'last_tables': _last_tables(),
            'label_columns': columns_of_labels(), 'files': _files_of_build()
        }) %}
        {#- Dbt has looked at the tables before. -#}
        {% for database, schema, name in request.dropped %}
            {% do adapter.cache_dropped(api.Relation.create(database=database, schema=schema, identifier=name)) %}
        {% endfor %}
        {% for database, schema, name in request.created %}
            {% do adapter.cache_added(api.Relation.create(database=database, schema=schema, identifier=name, type='table')) %}
        {% endfor %}
    {% else %}
        {% do _publishing_step('touch', {}) %}
    {% endif %}
    {% if flags.WHICH in ['build', 'run'] %}{% do _upgrade_state() %}{% endif %}
{% endmacro %}


{#- What the plugin finds is in dbt's graph. -#}
{% macro spark__begin_build(kept_builds) %}
    {% set prefixes = [] %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'customer_clusters' %}
        {% do prefixes.append(segmentation_prefix(node)) %}
    {% endfor %}
    {% set request = _publishing_step('begin', {
        'build_id': invocation_id, 'is_full': _is_full_build(), 'files': _files_of_build(), 'kept_builds': kept_builds, 'prefixes': prefixes,
        'last_tables': _columns_of_last_tables()
    }) %}
    {% do graph.update({'earlier_builds': request.earlier_builds, 'functions': {}}) %}
{% endmacro %}


{#- The names of what is read, none where there are no customers or no orders. -#}
{% macro _files_of_build() %}{% do return({'customers': segmentation('').source.name, 'orders': orders().source.name}) %}{% endmacro %}


{#-
    Builds are in the order of their numbers, and so are their times, to which everything that has a history refers: where the clock was set back since the
    last build, this one is a microsecond later.
-#}
{% macro _decide_build_time() %}
    {% set builds, time = existing_table('builds'), run_started_at.replace(microsecond=0, tzinfo=none) %}
    {% set last = run_query('select max(built_at) from ' ~ builds).columns[0].values()[0] if builds else none %}
    {% do graph.update({'build_time': [time, last + modules.datetime.timedelta(microseconds=1)] | max if last else time}) %}
{% endmacro %}


{#- Runs after everything else. What it returns is run as SQL: an error there is reported like that of a model. -#}
{% macro publish(results, builds, build) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set begun = modules.datetime.datetime.now(modules.pytz.utc) %}
    {% set error = _publication(results, builds, build) if flags.WHICH == 'build' else none %}
    {% set ended = modules.datetime.datetime.now(modules.pytz.utc) %}
    {% set longest = _longest_steps(results, (ended - begun).total_seconds(), (ended - run_started_at).total_seconds()) %}
    {% if longest %}{% do log(longest, info=true) %}{% endif %}
    {% if target.type != 'duckdb' %}{% do _publishing_step('end', {}) %}{% endif %}
    {% if error %}
        {#- A database that had no room to write its file runs no SQL any more, and says nothing but that. -#}
        {% do log(error, info=true) %}
        {% do return('select ' ~ raised(sql_texts([error]))) %}
    {% endif %}
{% endmacro %}


{#- Where the time of a long build went, in one line; none of one that took no longer than a minute. Dbt times all steps but publishing. -#}
{% macro _longest_steps(results, seconds_of_publishing, seconds) %}
    {% set steps = [('publishing', seconds_of_publishing)] %}
    {% for result in results %}{% do steps.append((result.node.name, result.execution_time)) %}{% endfor %}
    {% set texts = [] %}
    {% for name, its in (steps | sort(attribute=1, reverse=true))[:3] %}{% do texts.append('{} {:,.0f} s'.format(name, its)) %}{% endfor %}
    {% do return('The longest steps: ' ~ texts | join(', ') ~ '.' if seconds > 60 else none) %}
{% endmacro %}


{#- Publishes a build that may be; returns what went wrong, or none. -#}
{% macro _publication(results, builds, build) %}
    {% set obstacle = _why_not_published(results) %}
    {% if obstacle %}
        {% do log('Not published: ' ~ obstacle ~ '. Readers keep the build before.', info=true) %}
        {% do return(none) %}
    {% endif %}
    {% set row = run_query('select n_accepted, n_segments, n_order_lines_accepted from ' ~ build).rows[0] %}
    {% set words = [] %}
    {% do words.append('{:,} customers in {} segments'.format(row[0] | int, row[1] | int) if row[0] is not none else 'segments from orders alone') %}
    {% if row[2] is not none %}{% do words.append('{:,} lines of orders'.format(row[2] | int)) %}{% endif %}
    {% do return(adapter.dispatch('publish_build')(results, builds, build, {
        'build_id': invocation_id, 'kept_builds': _kept_builds(), 'message': 'Published: ' ~ words | join(', ') ~ ', build ' ~ invocation_id ~ '.'
    })) %}
{% endmacro %}


{% macro duckdb__publish_build(results, builds, build, request) %}
    {% set numbers = _publishing_step('kept_builds', {}).numbers %}
    {% set build_number = run_query(
        'select greatest(coalesce(max(build_number), 0), ' ~ (numbers | max if numbers else 0) ~ ') + 1 from ' ~ builds
    ).columns[0].values()[0] | int %}
    {% do run_query(_row_of_build(results, builds, build, build_number)) %}
    {% do request.update({
        'databases': _build_databases(), 'kept': _places_of(graph.nodes.values()) + _last_tables() | map(attribute=1) | list, 'views': _published_views(),
        'build_number': build_number
    }) %}
    {% do return(_publishing_step('publish', request).error) %}
{% endmacro %}


{% macro spark__publish_build(results, builds, build, request) %}
    {% set relations, queries = [], {} %}
    {% set described = {} %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] %}
        {% if 'public' in [node.access, (node.config.meta or {}).access] or node.config.materialized == 'incremental' %}
            {% do described.update({node.name: node}) %}
        {% endif %}
    {% endfor %}
    {% for result in results if result.node.config.materialized == 'view' %}
        {% do queries.update({result.node.alias: result.node.compiled_code}) %}
    {% endfor %}
    {% for view in _published_views() %}
        {% do queries.update({view.name: view.query}) %}
        {% do relations.append(dict(view, kind='query')) %}
    {% endfor %}
    {% for result in results if result.node.name in described and result.node.name not in relations | map(attribute='name') %}
        {% set node = described[result.node.name] %}
        {% do relations.append({
            'name': node.alias, 'kind': 'query' if node.alias in queries else node.config.materialized,
            'query': queries.get(node.alias), 'description': node.description, 'columns': _described_columns(result.node)
        }) %}
    {% endfor %}
    {% do request.update({
        'relations': relations, 'queries': queries, 'functions': graph.functions, 'build_number': graph.earlier_builds.build_number,
        'counted': rows_that_count('segment_changes'),
        'commit': _row_of_build(results, builds, build, graph.earlier_builds.build_number)
    }) %}
    {% do return(_publishing_step('publish', request).error) %}
{% endmacro %}


{#- How many of the last published builds are kept, to go back to. -#}
{% macro _kept_builds() %}
    {% set kept = var('kept_builds', 7) %}
    {% if kept is not integer or kept < 0 %}
        {% do exceptions.raise_compiler_error('dbt_project.yml, vars: kept_builds: ' ~ kept ~ ' is not a whole number, such as 7, or 0 for none.') %}
    {% endif %}
    {% do return(kept) %}
{% endmacro %}


{#- One clause, or none where the build is to be published. -#}
{% macro _why_not_published(results) %}
    {% if not _is_full_build() %}{% do return('only a full dbt build is, without --select, --exclude and the like') %}{% endif %}
    {% set good, skipped = [], [] %}
    {% for result in results %}
        {% if result.status in ['success', 'pass', 'warn', 'no-op'] %}{% do good.append(result.node.unique_id) %}{% endif %}
        {% if result.status == 'skipped' %}{% do skipped.append(result.node.unique_id) %}{% endif %}
    {% endfor %}
    {% set n_failed = results | length - good | length - skipped | length %}
    {% if n_failed or skipped %}
        {% do return(n_failed ~ ' of ' ~ results | length ~ ' steps failed and ' ~ skipped | length ~ ' were skipped') %}
    {% endif %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'test'] %}
        {#- When dbt parses in part, the tests of a model that has been disabled since stay in the graph, disabled too. -#}
        {% if node.config.enabled and node.config.materialized != 'ephemeral' and node.unique_id not in good %}
            {% do return(node.name ~ ' did not run') %}
        {% endif %}
    {% endfor %}
    {% do return(none) %}
{% endmacro %}


{#-
    The statement that appends the row of this build, by which all that it has appended counts from now on. How the gates were passed is known only here.
    No number is given twice, not even where the published file is gone and builds begin anew: those kept before it have theirs.
-#}
{% macro _row_of_build(results, builds, build, build_number) %}
    {% set obstacles = {} %}
    {% for node in graph.nodes.values() if node.name == 'int_' ~ segmentation_prefix(node) ~ 'refit_decision' and segmentation(segmentation_prefix(node)).is_dispensable %}
        {% set obstacle = run_query('select obstacle from ' ~ node.relation_name).columns[0].values()[0] %}
        {% if obstacle %}{% do obstacles.update({segmentation_prefix(node): segmentation_prefix(node)[:-1] ~ ': ' ~ obstacle}) %}{% endif %}
    {% endfor %}
    {#- Where there are no segments, nothing was measured. -#}
    {% set gates = [] %}
    {% for result in results if '__gate_' in result.node.name and segmentation_prefix(result.node) not in obstacles %}
        {% do gates.append(segmentation_prefix(result.node) ~ result.node.name.split('__gate_')[1] ~ ' ' ~ ('ok' if result.status == 'pass' else result.status)) %}
    {% endfor %}
    {% do return(
        'insert into ' ~ builds ~ ' by name select *, ' ~ sql_texts([gates | sort | join(', ')]) ~ ' as gates, '
        ~ ('nullif(' ~ sql_texts([obstacles.values() | join(' ')]) ~ ", '') as not_segmented, ")
        ~ results | selectattr('status', 'equalto', 'warn') | list | length ~ ' as n_warnings, ' ~ build_number ~ ' as build_number from ' ~ build
    ) %}
{% endmacro %}


{#- The commit that the project is at, which the plugin has looked up. -#}
{% macro code_version() %}
    {{- "cast(getvariable('code_version') as string)" if target.type == 'duckdb' else sql_texts([(graph.earlier_builds or {}).code_version if execute]) -}}
{% endmacro %}
