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
        {{ finished_features(settings.features) }}
    from stg_customers
    cross join medians
)

select * from final
order by {{ key }}
