{%- set settings = segmentation() -%}
{%- set key = settings.key.name -%}
{%- set imputed = settings.features | selectattr('missing', 'equalto', 'median') | list -%}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

medians as (
    select
        {% for feature in imputed %}
        median({{ feature.name }}) as {{ feature.name }},
        {% endfor %}
        count(*) as n_customers
    from stg_customers
),

final as (
    select
        stg_customers.{{ key }},
        {%- for feature in settings.features %}
        {%- set value = 'stg_customers.' ~ feature.name %}
        {%- if feature in imputed %}
        {%- set value = 'coalesce(' ~ value ~ ', medians.' ~ feature.name ~ ')' %}
        {%- endif %}
        {{ transformed(feature, value) }} as {{ feature.name }},
        {%- endfor %}
        {% for feature in imputed -%}
        stg_customers.{{ feature.name }} is null or {% endfor -%}
        false as has_imputed_features
    from stg_customers
    cross join medians
)

select * from final
order by {{ key }}
