{#-
    The share of the customers that k is chosen on: all of them, where they are few or where equal ones merge into rows that k-means handles in seconds; of
    nearly distinct ones a hundred thousand, whose mean squared distances differ from those of all by some thousandths.
-#}
{% macro training_share(customers, features, counts) %}
    {% if not execute %}{% do return(1) %}{% endif %}
    {% set most_rows, sample_rows = 1000000, customers_of_sample() %}
    {% set n_customers = run_query('select n_customers from ' ~ counts).columns[0].values()[0] | int %}
    {% if n_customers <= 2 * sample_rows %}{% do return(1) %}{% endif %}
    {% set n_distinct = run_query('select ' ~ approximate_distinct(features) ~ ' from ' ~ customers).columns[0].values()[0] | int %}
    {% do return(1 if n_distinct <= [most_rows, n_customers / 2] | min else sample_rows / n_customers) %}
{% endmacro %}


{#- How many customers stand for all of them, where these are more. -#}
{% macro customers_of_sample() %}{% do return(100000) %}{% endmacro %}


{#- Drawn by key and seed: the same customers in every order of the rows, and night after night. `share` is an expression. -#}
{% macro is_sampled(key, share) -%}
    {{ drawn_number(key, segmentation().seed) }} < {{ share }}
{%- endmacro %}
