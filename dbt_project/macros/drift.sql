{#- Upper edges, each included, of at most ten bins with about as many customers each; the last has no end. -#}
{% macro decile_edges(value) -%}
    list_sort(list_distinct(list_append(
        quantile_cont({{ value }}, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]), 'infinity'::double
    )))
{%- endmacro %}


{#- The share of the rows in each bin. -#}
{% macro bin_shares(value, upper_edges) -%}
    [n / count({{ value }}) for n in map_values(histogram({{ value }}, {{ upper_edges }}))]
{%- endmacro %}


{#-
    Population stability index of two lists of shares: sum of (actual - expected) * ln(actual / expected). An empty bin
    counts as one customer in ten thousand, since the logarithm of nothing has no end.
-#}
{% macro stability_index(actual, expected) -%}
    list_sum([
        (greatest(pair[1], 0.0001) - greatest(pair[2], 0.0001)) * ln(greatest(pair[1], 0.0001) / greatest(pair[2], 0.0001))
        for pair in list_zip({{ actual }}, {{ expected }})
    ])
{%- endmacro %}


{#- In words. The bounds 0.1 and 0.25 are those of Siddiqi (2006), "Credit risk scorecards", and of most who use the index. -#}
{% macro drift_level(index) -%}
    case
        when {{ index }} < 0.1 then 'stable'
        when {{ index }} < 0.25 then 'some drift'
        else 'strong drift'
    end
{%- endmacro %}
