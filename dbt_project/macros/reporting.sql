{#- Says on the console, and in dbt's own count of warnings, how many rows were refused and where they are to be seen. -#}
{% macro warn_of_rejected_rows() %}
    {% if execute %}
        {% set counts = run_query(
            'select (select count(*) from ' ~ this ~ ') as n_rejected, (select count(*) from ' ~ ref('base_customers_checked') ~ ') as n_records'
        ).rows[0] %}
        {% if counts['n_rejected'] > 0 %}
            {% do exceptions.warn(
                counts['n_rejected'] ~ ' of ' ~ counts['n_records'] ~ ' rows of ' ~ segmentation().source.file
                ~ ' are refused; the table rejected_customers holds each with its reasons.'
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}
