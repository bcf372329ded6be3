{#- The configured features as a table: name, place, and the words for them. -#}
{% macro configured_features() -%}
    select *
    from (
        values
        {%- for feature in segmentation().features %}
        (
            {{ loop.index }}, {{ sql_texts([
                feature.name, feature.label, feature.axis, feature.low, feature.high, feature.lowest or '', feature.highest or '', feature.transform
            ]) }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as configured (feature_order, feature, label, axis_label, low_phrase, high_phrase, lowest_phrase, highest_phrase, transform)
{%- endmacro %}
