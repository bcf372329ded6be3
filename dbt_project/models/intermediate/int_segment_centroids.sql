with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

segments as (
    select
        model_version,
        features,
        transforms,
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
        unnest(generate_series(1, len(features))) as feature_order,
        unnest(transforms) as transform,
        unnest(means) as mean,
        unnest(scales) as scale,
        unnest(centroid_scaled) as centroid_scaled
    from segments
),

final as (
    select
        model_version,
        segment_id,
        feature,
        feature_order,
        transform,
        mean,
        scale,
        mean + scale * centroid_scaled as centroid,
        centroid_scaled,
        model_version = max(model_version) over () as is_current
    from centroids
)

select * from final
