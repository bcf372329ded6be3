{#-
    The columns that come from the configuration are added to a model's description before it runs: dbt then enforces them in
    the contract and writes them into the database as comments, like the columns of the YAML files.
-#}
{% macro declare_columns(columns, first=false) %}
    {% set declared = {} %}
    {% for column in columns %}
        {% do declared.update({column.name: {
            'name': column.name, 'data_type': sql_type(column.data_type), 'description': column.description, 'constraints': []
        }}) %}
    {% endfor %}
    {#- For the end of the build: a node that has run does not show them. -#}
    {% set node = rendered_node() %}
    {% do graph.setdefault('declared_columns', {}).setdefault(node.unique_id, []).extend(declared.values()) %}
    {% set described = dict(node['columns']) %}
    {% do node['columns'].clear() %}
    {% do node['columns'].update(dict(declared, **described) if first else dict(described, **declared)) %}
{% endmacro %}


{% macro declare_customer_columns() %}
    {% if execute %}
        {% set settings = segmentation() %}
        {% do declare_columns([settings.key], first=true) %}
        {% do declare_columns(settings.attributes + settings.features) %}
    {% endif %}
{% endmacro %}


{% macro declare_features() %}
    {% if execute %}
        {% for feature in segmentation().numbers %}{% do declare_columns([dict(feature, data_type='double')]) %}{% endfor %}
        {% do declare_columns(segmentation().categories) %}
    {% endif %}
{% endmacro %}


{% macro declare_feature_statistics() %}
    {% if execute %}
        {% for feature in segmentation().features %}
            {% for statistic, description in statistics_of(feature).items() %}
                {% do declare_columns([{
                    'name': feature.name ~ '_' ~ statistic, 'data_type': 'varchar' if statistic == 'mode' else 'double',
                    'description': description.format(feature.axis)
                }]) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{% macro statistics_of(feature) %}
    {% do return(category_statistics() if feature.transform == 'category' else feature_statistics()) %}
{% endmacro %}


{% macro category_statistics() %}
    {% do return({
        'mode': 'The commonest level of {} in the segment.',
        'mode_share': 'Share of the segment that has the commonest level of {}.'
    }) %}
{% endmacro %}


{% macro feature_statistics() %}
    {% do return({
        'mean': 'Mean of {} in the segment.',
        'median': 'Median of {} in the segment.',
        'p10': '10th percentile of {} in the segment.',
        'p90': '90th percentile of {} in the segment.',
        'index': 'Mean of {} in the segment, that of all customers being 100; NULL where a value is negative, or that mean is not clearly above 0.',
        'index_scaled': 'Centre of {} in the segment, on the scale that segments are formed on: 100 is the average, 50 points are a standard deviation.'
    }) %}
{% endmacro %}


{% macro declare_margins() %}
    {% if execute %}
        {% do declare_key() %}
        {% for feature in segmentation().features %}
            {% do declare_columns([{
                'name': feature.name ~ '_margin', 'data_type': 'double', 'description': 'What ' ~ feature.axis ~ ' adds to the margin; below 0 it speaks for the runner-up.'
            }]) %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{#- A column that stands only where a feature counts otherwise than as its standard deviations. -#}
{% macro declare_weight() %}
    {% if execute and segmentation().has_weights %}
        {% do declare_columns([{
            'name': 'weight', 'data_type': 'double',
            'description': 'How often a difference of one standard deviation of the feature counts; of a category, how many of them two levels lie apart.'
        }]) %}
    {% endif %}
{% endmacro %}


{% macro declare_key() %}
    {% if execute %}{% do declare_columns([segmentation().key], first=true) %}{% endif %}
{% endmacro %}


{#- The word that both engines have for a type of the configuration. -#}
{% macro sql_type(data_type) %}{{ 'string' if data_type in ['varchar', 'category'] else data_type }}{% endmacro %}
