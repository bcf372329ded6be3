{#-
    Write, audit, publish. A build works in the two files of the profile; a copy of the first is published only when a full
    `dbt build` ran to its end and nothing failed. The plugin in dbt_project/plugins does what SQL cannot.
-#}


{#- Asks the plugin for a step; the answer comes back in the same dictionary. -#}
{% macro _publishing_step(step, request) %}
    {% do request.update({'step': step}) %}
    {% do adapter.store_relation('publishing', none, [], '', '', request) %}
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


{#- The labels of every segmentation, which each build replaces as a whole: [(their place, the place where the last ones are put aside)]. -#}
{% macro _label_places() %}
    {% set places = [] %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'customer_clusters' %}
        {% set last = last_labels(segmentation_prefix(node)) %}
        {% do places.append(((node.database, node.schema, node.alias), (last.database, last.schema, last.identifier))) %}
    {% endfor %}
    {% do return(places) %}
{% endmacro %}


{#- Of the files that builds work in, and of no other that a profile may attach. -#}
{% macro _build_databases() %}{% do return([target.database, 'scratch']) %}{% endmacro %}


{#-
    Readers see what is in the file of the profile's `path`, and as a view what they find in the columns of another of its tables: [(database, schema,
    name, query)]. It spares a copy of every customer, and goes without what is personal.
-#}
{% macro _published_views() %}
    {% if not has_customers() %}{% do return([]) %}{% endif %}
    {% set settings = segmentation('') %}
    {% set node = node_named('stg_customers') %}
    {% set columns = [settings.key] + settings.attributes + settings.features %}
    {% set query = 'select ' ~ columns | map(attribute='name') | join(', ') ~ ' from customer_segments' %}
    {% do return([(node.database, node.schema, node.alias, query)]) %}
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
    {% if target.type != 'duckdb' %}{% do _decide_build_time() %}{% do return('') %}{% endif %}
    {% if _is_full_build() %}
        {% set request = _publishing_step('begin', {
            'databases': _build_databases(), 'state': _state_places(), 'names_of_state': _names_of_state(), 'labels': _label_places(),
            'label_columns': columns_of_labels(), 'files': {'customers': segmentation('').source.name, 'orders': orders().source.name}
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
    {% if flags.WHICH in ['build', 'run'] %}
        {% do _kept_builds() %}
        {% do _upgrade_state() %}
        {% do _decide_build_time() %}
    {% endif %}
{% endmacro %}


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
    {% if not execute or flags.WHICH != 'build' or target.type != 'duckdb' %}{% do return('') %}{% endif %}
    {% set obstacle = _why_not_published(results) %}
    {% if obstacle %}
        {% do log('Not published: ' ~ obstacle ~ '. Readers keep the build before.', info=true) %}
        {% do return('') %}
    {% endif %}

    {% do _commit_build(results, builds, build) %}
    {% set query %}
        select
            build_number,
            coalesce(format('{:,} customers in {} segments', n_accepted, n_segments), 'segments from orders alone')
            || coalesce(format(', {:,} lines of orders', n_order_lines_accepted), '') as words
        from {{ builds }}
        where build_id = '{{ invocation_id }}'
    {% endset %}
    {% set row = run_query(query).rows[0] %}
    {% set request = _publishing_step('publish', {
        'databases': _build_databases(), 'kept': _places_of(graph.nodes.values()) + _label_places() | map('last') | list, 'views': _published_views(),
        'build_id': invocation_id, 'build_number': row.build_number | int, 'kept_builds': _kept_builds(),
        'message': 'Published: ' ~ row.words ~ ', build ' ~ invocation_id ~ '.'
    }) %}
    {% if request.error %}
        {#- A database that had no room to write its file runs no SQL any more, and says nothing but that. -#}
        {% do log(request.error, info=true) %}
        {% do return('select error(' ~ sql_texts([request.error]) ~ ')') %}
    {% endif %}
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
    The row of this build, by which all that it has appended counts from now on. How the gates were passed is known only here. No number is given twice,
    not even where the published file is gone and builds begin anew: those kept before it have theirs.
-#}
{% macro _commit_build(results, builds, build) %}
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
    {% set numbers = _publishing_step('kept_builds', {}).numbers %}
    {% do run_query(
        'insert into ' ~ builds ~ ' by name select *, ' ~ sql_texts([gates | sort | join(', ')]) ~ ' as gates, '
        ~ ('nullif(' ~ sql_texts([obstacles.values() | join(' ')]) ~ ", '') as not_segmented, ")
        ~ results | selectattr('status', 'equalto', 'warn') | list | length ~ ' as n_warnings, (select greatest(coalesce(max(build_number), 0), '
        ~ (numbers | max if numbers else 0) ~ ') + 1 from ' ~ builds ~ ') as build_number from ' ~ build
    ) %}
{% endmacro %}


{#- The commit that the project is at, which the plugin has looked up. -#}
{% macro code_version() %}{{ "cast(getvariable('code_version') as string)" if target.type == 'duckdb' else 'cast(null as string)' }}{% endmacro %}
