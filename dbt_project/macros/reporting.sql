{#- Says on the console how many rows were refused, and where they are to be seen; `n_accepted` is a query. -#}
{% macro warn_of_rejected_rows(rejected, n_accepted, source) %}
    {% if execute %}
        {% set query %}
            select
                count(*) as n_rejected,
                count(*) + ({{ n_accepted }}) as n_records
            from {{ rejected }}
            having count(*) > 0
        {% endset %}
        {% for row in run_query(query) %}
            {% do exceptions.warn(
                row['n_rejected'] ~ ' of ' ~ row['n_records'] ~ ' rows of ' ~ source.file
                ~ ' are refused; the table ' ~ rejected.identifier ~ ' holds each with its reasons.'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
