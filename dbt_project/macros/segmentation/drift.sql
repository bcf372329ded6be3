{#-
    How many customers have each value of each feature, filled in and transformed as a model does it: feature, feature_value, n_customers. The value of a
    category is the place of the level's column in that model, and the last one where it has none. `preparations` has the columns feature, place, fill_value
    and power of that model.
-#}
{% macro weighted_feature_values(rows, preparations) -%}
    {%- for feature in segmentation().categories %}
    select
        '{{ feature.name }}' as feature,
        cast(coalesce(levels.place, last_levels.place) as double) as feature_value,
        sum({{ rows }}.n_customers) as n_customers
    from {{ rows }}
    cross join (
        select max(place) as place
        from {{ preparations }}
        where {{ feature_of('feature') }} = '{{ feature.name }}'
    ) as last_levels
    left join {{ preparations }} as levels on levels.feature = '{{ feature.name }}=' || {{ level_in(rows ~ '.' ~ feature.name) }}
    group by coalesce(levels.place, last_levels.place)
    {{ "union all" if not loop.last or segmentation().numbers }}
    {%- endfor %}
    {%- for feature in segmentation().numbers %}
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


{#- How many customers what is stored with a model was measured on: those that it was fitted on, or the sample that stood for them. -#}
{% macro customers_measured(fits) -%}
    case when coalesce({{ fits }}.is_sampled, false) then least({{ fits }}.n_customers, {{ customers_of_sample() }}) else {{ fits }}.n_customers end
{%- endmacro %}


{#-
    The share of a bin. Half a customer is added to each, since the logarithm of nothing has no end: a bin that is empty by chance adds as much to the index
    as its neighbours, where an empty bin as one in ten thousand would be drift by itself in a small crowd.
-#}
{% macro share_of_bin(n_customers, n_all, n_bins) -%}
    ({{ n_customers }} + 0.5) / ({{ n_all }} + 0.5 * {{ n_bins }})
{%- endmacro %}


{#- What one bin adds to the population stability index. -#}
{% macro stability_term(actual, expected) -%}
    ({{ actual }} - {{ expected }}) * ln({{ actual }} / {{ expected }})
{%- endmacro %}


{#-
    What the index of two samples of the same customers, so large, stays below in 95 of 100 draws (Yurdakul 2018): 1 / n + 1 / m times chi-squared with one
    degree of freedom fewer than there are bins. There are at most 28: nine values that a tenth of the customers have, and around them ten tenths of the others
    in nineteen parts.
-#}
{% macro index_by_chance(n_bins, n_at_fit, n_today) -%}
    {%- set quantiles = [
        3.8415, 5.9915, 7.8147, 9.4877, 11.0705, 12.5916, 14.0671, 15.5073, 16.9190, 18.3070, 19.6751, 21.0261, 22.3620, 23.6848, 24.9958, 26.2962, 27.5871,
        28.8693, 30.1435, 31.4104, 32.6706, 33.9244, 35.1725, 36.4150, 37.6525, 38.8851, 40.1133
    ] -%}
    (1.0 / {{ n_at_fit }} + 1.0 / nullif({{ n_today }}, 0)) * case {{ n_bins }} - 1
        {%- for quantile in quantiles %} when {{ loop.index }} then {{ quantile }}{% endfor %}
        else 0
    end
{%- endmacro %}


{#- In words. The bounds 0.1 and 0.25 are those of Siddiqi (2006), "Credit risk scorecards", and of most who use the index. -#}
{% macro drift_level(index, by_chance) -%}
    case
        when {{ index }} < 0.1 or {{ index }} <= {{ by_chance }} then 'stable'
        when {{ index }} < 0.25 then 'some drift'
        else 'strong drift'
    end
{%- endmacro %}


{#-
    What two means are compared by (Cohen 1988), of a standard deviation and a variance: with that of today in it, a few customers who lie far outside make no
    difference. NULL where nothing varies.
-#}
{% macro pooled_deviation(deviation, variance) -%}
    nullif(sqrt((power({{ deviation }}, 2) + greatest({{ variance }}, 0)) / 2), 0)
{%- endmacro %}
