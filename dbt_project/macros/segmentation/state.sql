{#-
    What a build remembers of those before it. State tables are only appended to, and each of their rows names its build. A build counts once its row
    stands in `builds`, which is written last; no later build reads what one left that did not come so far.
-#}


{#-
    The rows that the builds so far have left in a table of this segmentation, each with its build_number, to select from; none where there is no such
    table. A column that the table has got since the last build is NULL.
-#}
{% macro left_by_builds(name) %}
    {% if not execute %}{% do return(none) %}{% endif %}
    {% set state, builds = existing_table(segmentation_prefix() ~ name), existing_table('builds') %}
    {% if not state or not builds %}{% do return(none) %}{% endif %}
    {% set declared = node_named(segmentation_prefix() ~ name).columns.values() | list %}
    {% set present = run_query('select * from ' ~ state ~ ' limit 0').column_names if declared %}
    {% set query %}(
        select
            state.*,
            {%- for column in declared if column.name not in present %}
            cast(null as {{ column.data_type }}) as {{ column.name }},
            {%- endfor %}
            builds.build_number
        from {{ state }} as state
        inner join {{ builds }} as builds on state.build_id = builds.build_id
        where {{ builds_that_count(name) }}
    ){% endset %}
    {% do return(query) %}
{% endmacro %}


{#-
    Whether a row of `builds` counts for a table of this segmentation. DuckDB has no other ones in the file that a build works in: a file that is gone
    back to has the state of then. On Spark the state has everything that was ever appended, and what a restore went back behind counts no longer; but for
    models, whose numbers stay taken.
-#}
{% macro builds_that_count(name) %}
    {%- if not execute or not graph.earlier_builds -%}true
    {%- elif name == 'segmentation_fits' -%}({{ graph.earlier_builds.remembered }})
    {%- else -%}({{ graph.earlier_builds.counted }})
    {%- endif -%}
{% endmacro %}


{#- The same for the rows of such a table, those of this build included, as a condition on its column build_id. -#}
{% macro rows_that_count(name) %}
    {%- set builds = existing_table('builds') if execute and graph.earlier_builds -%}
    {%- if not execute or not graph.earlier_builds -%}true
    {%- else -%}
    (
        build_id = '{{ invocation_id }}'
        {%- if builds %} or build_id in (select builds.build_id from {{ builds }} as builds where {{ builds_that_count(name) }}){% endif -%}
    )
    {%- endif -%}
{% endmacro %}


{#- Generic tests read this instead of the model: of a table of the state the rows that count. -#}
{% macro spark__get_where_subquery(relation) %}
    {% if not execute or relation.schema != generate_schema_name('state') or relation.identifier == 'builds' %}
        {% do return(dbt.default__get_where_subquery(relation)) %}
    {% endif %}
    {% do return('(select * from ' ~ relation ~ ' where ' ~ rows_that_count(relation.identifier) ~ ') as dbt_subquery') %}
{% endmacro %}


{#-
    The ids of the builds whose state this one goes on from, as a query, or none where there are none. One on files of one's own does not go on from the
    sample, whose rows in `builds` stay.
-#}
{% macro builds_gone_on_from() %}
    {% if not execute or not existing_table('builds') %}{% do return(none) %}{% endif %}
    {% if graph.earlier_builds %}
        {% do return('select builds.build_id from ' ~ existing_table('builds') ~ ' as builds where ' ~ builds_that_count('builds')) %}
    {% endif %}
    {% set queries = [] %}
    {% for node in graph.nodes.values() if node.name == segmentation_prefix(node) ~ 'segment_drift' and existing_table(node.name) %}
        {% do queries.append('select build_id from ' ~ existing_table(node.name)) %}
    {% endfor %}
    {% do return(queries | join(' union distinct ') or none) %}
{% endmacro %}


{#-
    The model that this build goes on with unless it fits one, as an aggregate over the rows of segment_drift that the builds so far have left: the one
    that the configuration asks for, or else the one that the last build has left to go on with.
-#}
{% macro version_to_go_on_with(builds) -%}
    {%- set asked_for = segmentation().model_version -%}
    {%- if asked_for -%}
        max({{ asked_for }})
    {%- else -%}
        {{ unpinned_version(builds) }}
    {%- endif -%}
{%- endmacro %}


{#- The same without model_version in the configuration: what the last build used, or would have used without it. -#}
{% macro unpinned_version(builds) -%}
    max_by(coalesce({{ builds }}.unpinned_model_version, {{ builds }}.model_version), {{ builds }}.build_number)
{%- endmacro %}


{#- A table of a node that stands later in the flow, so that it cannot be ref'd; none where it is not there. -#}
{% macro existing_table(name) %}
    {% set node = node_named(name) %}
    {% do return(adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) if node) %}
{% endmacro %}


{#-
    A table that the last build left and this one replaces: on DuckDB only the start of a build can put it aside, on Spark it stays where it is.
-#}
{% macro last_table(name) %}{% do return(adapter.dispatch('table_left')(name)) %}{% endmacro %}

{% macro duckdb__table_left(name) %}
    {% do return(api.Relation.create(database=scratch_database(), schema=target.schema, identifier='last_' ~ name)) %}
{% endmacro %}

{% macro spark__table_left(name) %}
    {% do return(api.Relation.create(schema=generate_schema_name(), identifier=(graph.earlier_builds or {}).get('last_tables', {}).get(name, 'no_last_' ~ name))) %}
{% endmacro %}


{#- The labels that the last build left. -#}
{% macro last_labels(prefix=none) %}
    {% do return(last_table((segmentation_prefix() if prefix is none else prefix) ~ 'customer_clusters')) %}
{% endmacro %}


{#- Their columns. -#}
{% macro columns_of_labels() %}
    {% do return([segmentation('').key.name, 'segment_id', 'previous_segment_id', 'changed_at', 'name_at_change', 'model_version_at_change']) %}
{% endmacro %}


{#-
    What a model depends on, as text: where this changes, the model is fitted anew. Words and colours are not in it. A setting that is added to the
    project one day belongs here only where it is given, so that it refits nobody who does without it.
-#}
{% macro model_configuration() %}
    {% set settings = segmentation() %}
    {% set features = [] %}
    {% for feature in settings.features %}
        {% set counted = {'as': feature['as']} if feature['as'] else {} %}
        {% set weighted = {'weight': feature.weight} if feature.transform == 'category' or feature.weight != 1 else {} %}
        {% do features.append(dict({'name': feature.name, 'transform': feature.transform, 'missing': feature.missing}, **dict(counted, **weighted))) %}
    {% endfor %}
    {% do return(tojson({
        'features': features, 'n_clusters': settings.n_clusters, 'k_range': settings.k_range, 'seed': settings.seed
    }, sort_keys=true)) %}
{% endmacro %}


{#- When this build started, in UTC, and later than the last one; the same in every table. What start_build() has decided is in dbt's graph. -#}
{% macro build_time() %}cast('{{ (graph.build_time if execute else none) or run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp){% endmacro %}


{#- The columns that name the build in a row. -#}
{% macro build_columns() -%}
    '{{ invocation_id }}' as build_id,
        {{ build_time() }} as built_at
{%- endmacro %}
