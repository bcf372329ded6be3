-- Tenths of today's customers, feature by feature: what later builds measure their drift against once it is stored with a model.
with

int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

feature_values as (
    {{ weighted_feature_values('int_training_rows') }}
),

-- Equal values are never parted: all of them fall into the tenth that the first of them belongs to.
tenths as (
    select
        feature,
        feature_value,
        n_customers,
        floor(
            10
            * (sum(n_customers) over (partition by feature order by feature_value) - n_customers)
            / sum(n_customers) over (partition by feature)
        ) as tenth
    from feature_values
),

bins as (
    select
        feature,
        tenth,
        min(feature_value) as lowest,
        max(feature_value) as highest,
        sum(n_customers) / sum(sum(n_customers)) over (partition by feature) as share
    from tenths
    group by feature, tenth
),

edges as (
    select
        feature,
        tenth,
        lowest,
        highest,
        case when tenth < max(tenth) over (partition by feature) then highest else cast('infinity' as double) end as upper_edge,
        share
    from bins
),

final as (
    select
        feature,
        min(lowest) as lowest,
        max(highest) as highest,
        array_agg(upper_edge order by tenth) as upper_edges,
        array_agg(share order by tenth) as shares
    from edges
    group by feature
)

select * from final
