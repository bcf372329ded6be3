{{ config(enabled=has_customers(), materialized='ephemeral' if target.type == 'duckdb' else 'table') }}
{%- set settings = segmentation() -%}
-- A million customers tell a share to a tenth of a percent; where values have to be put in order, a hundred thousand do, to three.
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

final as (
    select
        {%- for feature in settings.numbers %}
        cast(stg_customers.{{ feature.name }} as double) as {{ feature.name }},
        {%- endfor %}
        {%- for feature in settings.categories %}
        cast(stg_customers.{{ feature.name }} as string) as {{ feature.name }},
        {%- endfor %}
        {{ is_sampled('stg_customers.' ~ settings.key.name, '100000 / int_feature_medians.n_customers') }} as is_ordered
    from {{ ref('stg_customers') }} as stg_customers
    cross join int_feature_medians
    where {{ is_sampled('stg_customers.' ~ settings.key.name, '1000000 / int_feature_medians.n_customers') }}
)

select * from final
