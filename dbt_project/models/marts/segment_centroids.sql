with

int_segment_centroids as (
    select * from {{ ref('int_segment_centroids') }}
),

final as (
    select
        cast(model_version as integer) as model_version,
        cast(segment_id as integer) as segment_id,
        feature,
        cast(feature_order as integer) as feature_order,
        transform,
        mean,
        scale,
        centroid,
        centroid_scaled
    from int_segment_centroids
)

select * from final
order by model_version, segment_id, feature_order
