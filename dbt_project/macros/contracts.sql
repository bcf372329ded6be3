{#-
    Adds the columns that come from the configuration to a model's contract (and so to its comments in the database);
    the columns that are always there stand in the YAML file. It runs before the model, on the description that dbt then enforces.
    `columns` is a list of {name, data_type, description}.
-#}
{% macro declare_columns(columns) %}
    {% for column in columns %}
        {% do model['columns'].update({column.name: {
            'name': column.name, 'data_type': column.data_type, 'description': column.description, 'constraints': []
        }}) %}
    {% endfor %}
{% endmacro %}


{#- The key and the columns that describe a customer, after those in the YAML file. -#}
{% macro declare_customer_columns() %}
    {% if execute %}
        {% set settings = segmentation() %}
        {% do declare_columns([settings.key] + settings.attributes + settings.features) %}
    {% endif %}
{% endmacro %}


{#- The statistics of every feature, after the columns in the YAML file. -#}
{% macro declare_feature_statistics() %}
    {% if execute %}
        {% for feature in segmentation().features %}
            {% for statistic, description in feature_statistics().items() %}
                {% do declare_columns([{
                    'name': feature.name ~ '_' ~ statistic, 'data_type': 'double',
                    'description': description ~ ' of ' ~ feature.axis ~ ' in the segment'
                        ~ (', 100 being the mean of all customers; NULL where that mean is not positive.' if statistic == 'index' else '.')
                }]) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{% macro feature_statistics() %}
    {% do return({
        'mean': 'Mean', 'median': 'Median', 'p10': '10th percentile', 'p90': '90th percentile', 'index': 'Mean'
    }) %}
{% endmacro %}
