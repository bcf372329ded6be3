{%- set settings = segmentation() -%}
{%- set key = settings.key.name -%}
{%- set imputed = settings.features | selectattr('missing', 'equalto', 'median') | list -%}
-- Nothing is computed before the rows of the files are accounted for. depends_on: {{ ref('rejected_customers') }}
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
        {{ transformed(feature, value) }} as {{ feature.name }}{{ "," if not loop.last }}
        {%- endfor %}
    from stg_customers
    cross join medians
)

select * from final
order by {{ key }}
