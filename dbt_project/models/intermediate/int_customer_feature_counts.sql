{%- set features = segmentation().features | map(attribute='name') | join(', ') -%}
with

int_customer_features as (
    select * from {{ ref('int_customer_features') }}
),

final as (
    select
        {{ features }},
        count(*) as n_customers
    from int_customer_features
    group by {{ features }}
)

select * from final
order by {{ features }}
