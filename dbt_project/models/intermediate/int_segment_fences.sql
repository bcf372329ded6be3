{{ config(database=target.database, schema='internal') }}
-- Tukey's fence (1977): beyond the third quartile by more than one and a half times the distance between the quartiles.
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

-- A million customers tell a quartile closely enough; more are represented by a sample.
customer_clusters as (
    select customer_clusters.*
    from {{ ref('customer_clusters') }} as customer_clusters
    cross join int_feature_medians
    where {{ is_sampled('customer_clusters.' ~ segmentation().key.name, '1000000 / int_feature_medians.n_customers') }}
),

quartiles as (
    select
        segment_id,
        {{ percentiles('distance', [0.25, 0.75]) }} as distances
    from customer_clusters
    group by segment_id
),

final as (
    select
        segment_id,
        2.5 * distances[2] - 1.5 * distances[1] as furthest_usual_distance
    from quartiles
)

select * from final
