with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

features as (
    {{ configured_features() }}
),

segments as (
    select
        model_version,
        features,
        means,
        scales,
        unnest(segment_ids) as segment_id,
        unnest(centroids_scaled) as centroid_scaled
    from segmentation_fits
),

centroids as (
    select
        model_version,
        segment_id,
        unnest(features) as feature,
        unnest(means) as mean,
        unnest(scales) as scale,
        unnest(centroid_scaled) as centroid_scaled
    from segments
),

final as (
    select
        centroids.model_version,
        centroids.segment_id,
        centroids.feature,
        features.feature_order,
        features.transform,
        centroids.mean,
        centroids.scale,
        centroids.mean + centroids.scale * centroids.centroid_scaled as centroid,
        centroids.centroid_scaled
    from centroids
    inner join features on centroids.feature = features.feature
)

select * from final
