{{ config(enabled=has_customers()) }}
{%- set imputed = segmentation().features | selectattr('missing', 'equalto', 'median') | list -%}
-- Nothing is computed before the rows of the files are accounted for. depends_on: {{ ref('rejected_customers') }}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        {% for feature in imputed %}
        median({{ feature.name }}) as {{ feature.name }},
        {% endfor %}
        count(*) as n_customers
    from stg_customers
)

select * from final
