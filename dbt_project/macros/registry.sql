{#- A table of this segmentation as the last build left it, or none: what stands later in the flow cannot be ref'd. -#}
{% macro as_left_by_last_build(name) %}
    {% set table = segmentation_prefix() ~ name %}
    {% do return(adapter.get_relation(database=target.database, schema=target.schema, identifier=table) if execute else none) %}
{% endmacro %}


{#- What a model depends on, as text: where this changes, the model is fitted anew. Words and colours are not in it. -#}
{% macro model_configuration() %}
    {% set settings = segmentation() %}
    {% set features = [] %}
    {% for feature in settings.features %}
        {% do features.append({'name': feature.name, 'transform': feature.transform, 'missing': feature.missing}) %}
    {% endfor %}
    {% do return(tojson({
        'features': features, 'n_clusters': settings.n_clusters, 'k_range': settings.k_range, 'seed': settings.seed
    }, sort_keys=true)) %}
{% endmacro %}


{#- When this build started, in UTC; the same in every table. -#}
{% macro build_time() %}cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp){% endmacro %}


{% macro build_columns() -%}
    '{{ invocation_id }}' as build_id,
        {{ build_time() }} as built_at
{%- endmacro %}


{#-
    Runs before a build. The sample that the project ships is there to try things out: with the first file of one's own, models and history
    begin anew, so that nobody's customers are scored with, or compared to, invented ones.
-#}
{% macro forget_the_sample() %}
    {% set sample = 'dbt_project/sample/customers.csv' %}
    {% set builds = as_left_by_last_build('builds') %}
    {% if builds and flags.WHICH in ['build', 'run'] and segmentation().source.file != sample %}
        {% if run_query('select max_by(source_file, built_at) from ' ~ builds).columns[0].values()[0] == sample %}
            {% do log('The last build was on the sample: its models and history are forgotten.', info=true) %}
            {% for node in state_nodes() %}
                {% set relation = as_left_by_last_build(node.alias) %}
                {% if relation %}{% do adapter.drop_relation(relation) %}{% endif %}
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}


{#- The commit that the project is at, which the plugin has looked up. -#}
{% macro code_version() %}cast(getvariable('code_version') as varchar){% endmacro %}
