{{ config(enabled=has_orders()) }}
with

rfm_classes as (
    select * from {{ ref('rfm_classes') }}
),

rfm_scores as (
    select * from {{ ref('rfm_scores') }}
),

classes as (
    select distinct rfm_class from rfm_classes
),

sizes as (
    select
        rfm_class,
        count(*) as n_customers,
        count(*) / sum(count(*)) over () as share,
        sum(monetary_value) / nullif(sum(sum(monetary_value)) over (), 0) as value_share,
        avg(recency_days) as recency_days_mean,
        avg(frequency) as frequency_mean,
        avg(monetary_value) as monetary_value_mean,
        median(recency_days) as recency_days_median,
        median(frequency) as frequency_median,
        median(monetary_value) as monetary_value_median
    from rfm_scores
    group by rfm_class
),

final as (
    select
        classes.rfm_class,
        coalesce(sizes.n_customers, 0) as n_customers,
        coalesce(sizes.share, 0) as share,
        {{ 'coalesce(sizes.value_share, 0)' if orders().has_amounts else 'cast(null as double)' }} as value_share,
        sizes.recency_days_mean,
        sizes.frequency_mean,
        sizes.monetary_value_mean,
        sizes.recency_days_median,
        sizes.frequency_median,
        sizes.monetary_value_median
    from classes
    left join sizes on classes.rfm_class = sizes.rfm_class
)

select * from final
order by n_customers desc, rfm_class asc
