{#-
    Write, audit, publish. A build works in the two files of the profile; a copy of the first is published only when a full
    `dbt build` ran to its end and nothing failed. The plugin in dbt_project/plugins does what SQL cannot.
-#}


{#- Asks the plugin for a step; the answer comes back in the same dictionary. -#}
{% macro publishing_step(step, request) %}
    {% do request.update({'step': step}) %}
    {% do adapter.store_relation('publishing', none, [], '', '', request) %}
    {% do return(request) %}
{% endmacro %}


{#- What a build remembers of those before it: nobody can make it again. -#}
{% macro state_nodes() %}
    {% set nodes = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'snapshot' or node.config.materialized == 'incremental' %}
        {% do nodes.append(node) %}
    {% endfor %}
    {% do return(nodes | sort(attribute='unique_id')) %}
{% endmacro %}


{% macro places_of(nodes) %}
    {% set places = [] %}
    {% for node in nodes %}{% do places.append((node.database, node.schema, node.alias)) %}{% endfor %}
    {% do return(places) %}
{% endmacro %}


{#- Of the files that builds work in, and of no other that a profile may attach. -#}
{% macro build_databases() %}{% do return(graph.nodes.values() | map(attribute='database') | unique | list) %}{% endmacro %}


{#-
    Readers see what is in the file of the profile's `path`, and as a view what they find in the columns of another of its tables: [(database, schema,
    name, query)]. It spares a copy of every customer.
-#}
{% macro published_views() %}
    {% set settings = segmentation('') %}
    {% set node = node_named('stg_customers') %}
    {% set query = 'select ' ~ settings.columns | map(attribute='name') | join(', ') ~ ' from customer_segments' %}
    {% do return([(node.database, node.schema, node.alias, query)]) %}
{% endmacro %}


{#- Whether dbt was asked for everything. The arguments tell, because the graph does not list unit tests; dbt retry has those of what it tries again. -#}
{% macro is_full_build() %}
    {% set limits = ['select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types', 'empty', 'sample'] %}
    {% set given = [] %}
    {% for limit in limits if invocation_args_dict.get(limit) %}{% do given.append(limit) %}{% endfor %}
    {% do return(flags.WHICH == 'build' and not given and 'retry' not in invocation_args_dict.invocation_command.split()) %}
{% endmacro %}


{#- Runs before everything else: a full build goes on from the last published one. Any other command keeps what is there. -#}
{% macro start_from_published() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% if not is_full_build() %}
        {% do publishing_step('touch', {}) %}
        {% do return('') %}
    {% endif %}
    {% set request = publishing_step('begin', {'databases': build_databases(), 'state': places_of(state_nodes())}) %}
    {#- Dbt has looked at the tables before. -#}
    {% for database, schema, name in request.dropped %}
        {% do adapter.cache_dropped(api.Relation.create(database=database, schema=schema, identifier=name)) %}
    {% endfor %}
    {% for database, schema, name in request.created %}
        {% do adapter.cache_added(api.Relation.create(database=database, schema=schema, identifier=name, type='table')) %}
    {% endfor %}
{% endmacro %}


{#- Runs behind everything else. What it returns is run as SQL: an error there is reported like that of a model. -#}
{% macro publish(results, builds) %}
    {% if not execute or flags.WHICH != 'build' %}{% do return('') %}{% endif %}
    {% set obstacle = why_not_published(results) %}
    {% if obstacle %}
        {% do log('Not published: ' ~ obstacle ~ '. Readers keep the build before.', info=true) %}
        {% do return('') %}
    {% endif %}

    {% do record_results(results, builds) %}
    {% set request = publishing_step('publish', {
        'databases': build_databases(), 'nodes': places_of(graph.nodes.values()), 'views': published_views(), 'build_id': invocation_id
    }) %}
    {% if request.error %}
        {% do return('select error(' ~ sql_texts([request.error]) ~ ')') %}
    {% endif %}
    {% set query %}
        select
            format('{:,} customers in {} segments', n_accepted, n_segments)
            || coalesce(format(', {:,} lines of orders', n_order_lines_accepted), '') as words
        from {{ builds }}
        where build_id = '{{ invocation_id }}'
    {% endset %}
    {% do log('Published: ' ~ run_query(query).columns[0].values()[0] ~ ', build ' ~ invocation_id ~ '.', info=true) %}
{% endmacro %}


{#- One clause, or none where the build is to be published. -#}
{% macro why_not_published(results) %}
    {% if not is_full_build() %}{% do return('only a full dbt build is, without --select, --exclude and the like') %}{% endif %}
    {% set good, skipped = [], [] %}
    {% for result in results %}
        {% if result.status in ['success', 'pass', 'warn', 'no-op'] %}{% do good.append(result.node.unique_id) %}{% endif %}
        {% if result.status == 'skipped' %}{% do skipped.append(result.node.unique_id) %}{% endif %}
    {% endfor %}
    {% set n_failed = results | length - good | length - skipped | length %}
    {% if n_failed or skipped %}
        {% do return(n_failed ~ ' of ' ~ results | length ~ ' steps failed and ' ~ skipped | length ~ ' were skipped') %}
    {% endif %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot', 'test'] %}
        {#- When dbt parses in part, the tests of a model that has been disabled since stay in the graph, disabled too. -#}
        {% if node.config.enabled and node.config.materialized != 'ephemeral' and node.unique_id not in good %}
            {% do return(node.name ~ ' did not run') %}
        {% endif %}
    {% endfor %}
    {% do return(none) %}
{% endmacro %}


{#- How the gates were passed is known only now. -#}
{% macro record_results(results, builds) %}
    {% set gates = [] %}
    {% for result in results if '__gate_' in result.node.name %}
        {% do gates.append(segmentation_prefix(result.node) ~ result.node.name.split('__gate_')[1] ~ ' ' ~ ('ok' if result.status == 'pass' else result.status)) %}
    {% endfor %}
    {% set warnings = results | selectattr('status', 'equalto', 'warn') | list | length %}
    {% do run_query(
        'update ' ~ builds ~ ' set gates = ' ~ sql_texts([gates | sort | join(', ')]) ~ ', n_warnings = ' ~ warnings
        ~ " where build_id = '" ~ invocation_id ~ "'"
    ) %}
{% endmacro %}
