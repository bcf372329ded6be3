{{ config(enabled=has_customers()) }}
{%- set features = segmentation().features | map(attribute='name') | join(', ') -%}
{%- set share = training_share(ref('int_customer_features'), features, ref('int_feature_medians')) -%}
with

int_customer_features as (
    select * from {{ ref('int_customer_features') }}
),

final as (
    select
        {{ features }},
        count(*) as n_customers
    from int_customer_features
    {% if share < 1 %}
    where {{ is_sampled(segmentation().key.name, share) }}
    {% endif %}
    group by {{ features }}
)

select * from final
order by {{ features }}
