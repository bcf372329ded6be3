{#-
    How many customers have each value of each feature, filled in and transformed as a model does it: feature, feature_value, n_customers. `preparations`
    has the columns feature, fill_value and power of that model.
-#}
{% macro weighted_feature_values(rows, preparations) -%}
    {%- for feature in segmentation().features %}
    {%- set value = filled_in(rows ~ '.' ~ feature.name, preparations ~ '.fill_value') %}
    select
        '{{ feature.name }}' as feature,
        {{ transformed(feature.transform, value, preparations ~ '.power') }} as feature_value,
        sum({{ rows }}.n_customers) as n_customers
    from {{ rows }}
    inner join {{ preparations }} on {{ preparations }}.feature = '{{ feature.name }}'
    group by {{ transformed(feature.transform, value, preparations ~ '.power') }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#-
    What one bin adds to the population stability index: (actual - expected) * ln(actual / expected). An empty bin counts as one customer
    in ten thousand, since the logarithm of nothing has no end.
-#}
{% macro stability_term(actual, expected) -%}
    (greatest({{ actual }}, 0.0001) - greatest({{ expected }}, 0.0001)) * ln(greatest({{ actual }}, 0.0001) / greatest({{ expected }}, 0.0001))
{%- endmacro %}


{#- In words. The bounds 0.1 and 0.25 are those of Siddiqi (2006), "Credit risk scorecards", and of most who use the index. -#}
{% macro drift_level(index) -%}
    case
        when {{ index }} < 0.1 then 'stable'
        when {{ index }} < 0.25 then 'some drift'
        else 'strong drift'
    end
{%- endmacro %}
