{#-
    The number of the nearest segment, as an expression over columns named as the features, in their own units: for a model or an ad-hoc
    query on new customers. `centroids` is the table segment_centroids; those of the current model are read when the expression is
    rendered. Ties go to the lowest number. For a feature that is NULL the model has a value to fill in where the configuration says missing: median; where
    it does not, the answer is NULL.

        select client_id, {{ nearest_segment(ref('segment_centroids')) }} as segment_id from new_clients
-#}
{% macro nearest_segment(centroids) %}
    {%- set distances = _distances_to_segments(centroids) -%}
    case {{ _least_of(distances.values() | list) }}
        {%- for segment_id, distance in distances.items() %}
        when {{ distance }} then {{ segment_id }}
        {%- endfor %}
    end
{%- endmacro %}


{#- The distance to that segment, in standard deviations of the features. -#}
{% macro distance_to_nearest_segment(centroids) %}
    {{- _least_of(_distances_to_segments(centroids).values() | list) -}}
{%- endmacro %}


{% macro _least_of(values) %}
    {{- 'least(' ~ values | join(', ') ~ ')' if values | length > 1 else values | first -}}
{%- endmacro %}


{#- {segment_id: expression} of the current model, in the order of the numbers. -#}
{% macro _distances_to_segments(centroids) %}
    {% if not execute %}{% do return({0: 'null'}) %}{% endif %}
    {% set query %}
        select
            segment_id, feature, transform, cast(fill_value as string) as fill_value, cast(transform_lambda as string) as transform_lambda, cast(mean as string) as mean,
            cast(scale as string) as scale, cast(centroid_scaled as string) as centroid_scaled
        from {{ centroids }}
        where is_current
        order by segment_id, feature_order
    {% endset %}
    {% set terms = {} %}
    {% set centroids_of_model = run_query(query) %}
    {% set columns = centroids_of_model.columns['feature'].values() | unique | list %}
    {% for row in centroids_of_model %}
        {% set value = is_of_level(row['feature'], columns) if row['transform'] == 'category'
            else transformed(row['transform'], filled_in(row['feature'], _double(row['fill_value'])), _double(row['transform_lambda'])) %}
        {% do terms.setdefault(row['segment_id'] | int, []).append(
            'power((' ~ value ~ ' - ' ~ _double(row['mean']) ~ ') / ' ~ _double(row['scale']) ~ ' - ' ~ _double(row['centroid_scaled']) ~ ', 2)'
        ) %}
    {% endfor %}
    {% set distances = {} %}
    {% for segment_id, squares in terms.items() %}
        {% do distances.update({segment_id: 'sqrt(' ~ squares | join(' + ') ~ ')'}) %}
    {% endfor %}
    {#- Before the first model there is nothing to be near to. -#}
    {% do return(distances or {0: 'null'}) %}
{% endmacro %}


{#- The number in a text, to its last digit. -#}
{% macro _double(text) %}{{ "cast('" ~ text ~ "' as double)" if text is not none else 'null' }}{% endmacro %}


{#- Puts both expressions into the database as functions of the features, for everybody who queries it: nearest_segment, or rfm_nearest_segment. -#}
{% macro create_scoring_functions() %}
    {% if execute %}
        {% set prefix, arguments = segmentation_prefix(), {} %}
        {% for feature in segmentation().features %}
            {% do arguments.update({feature.name: 'double' if feature.kind == 'feature' else sql_type(feature.data_type)}) %}
        {% endfor %}
        {% do adapter.dispatch('make_function')(prefix ~ 'nearest_segment', arguments, nearest_segment(this), 'integer') %}
        {% do adapter.dispatch('make_function')(prefix ~ 'distance_to_nearest_segment', arguments, distance_to_nearest_segment(this), 'double') %}
    {% endif %}
{% endmacro %}

{% macro duckdb__make_function(name, arguments, expression, returns) %}
    {% do run_query(create_function(this.schema ~ '.' ~ name, arguments, expression, returns)) %}
{% endmacro %}

{#- When the build is published. -#}
{% macro spark__make_function(name, arguments, expression, returns) %}
    {% do graph.functions.update({name: create_function(target.schema ~ '.' ~ name, arguments, expression, returns)}) %}
{% endmacro %}
