{#- A table as the last build left it, or none: what stands later in the flow cannot be ref'd. -#}
{% macro as_left_by_last_build(name) %}
    {% do return(adapter.get_relation(database=target.database, schema=target.schema, identifier=name) if execute else none) %}
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
