{#- Says on the console how many rows were refused, and where they are to be seen. -#}
{% macro warn_of_rejected_rows(rejected, accepted) %}
    {% if execute %}
        {% set query %}
            select
                count(*) as n_rejected,
                count(*) + (select n_customers from {{ accepted }}) as n_records
            from {{ rejected }}
            having count(*) > 0
        {% endset %}
        {% for row in run_query(query) %}
            {% do exceptions.warn(
                row['n_rejected'] ~ ' of ' ~ row['n_records'] ~ ' rows of ' ~ segmentation().source.file
                ~ ' are refused; the table rejected_customers holds each with its reasons.'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
