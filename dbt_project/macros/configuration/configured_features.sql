{#- The configured features as a table: name, place, and the words for them. -#}
{% macro configured_features() -%}
    select *
    from (
        values
        {%- for feature in segmentation().features %}
        (
            {{ loop.index }}, {{ sql_texts([feature.name]) }}, {{ sql_texts([feature.label]) }}, {{ sql_texts([feature.axis]) }},
            {{ sql_texts([feature.low]) }}, {{ sql_texts([feature.high]) }}, {{ sql_texts([feature.transform]) }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as configured (feature_order, feature, label, axis_label, low_phrase, high_phrase, transform)
{%- endmacro %}
