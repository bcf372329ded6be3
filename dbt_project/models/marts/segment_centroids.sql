with

int_models as (
    select * from {{ ref('int_models') }}
),

segments as (
    select
        model_version,
        is_current,
        features,
        transforms,
        means,
        scales,
        {{ unnested({'segment_ids': 'segment_id', 'centroids_scaled': 'centroid_scaled'}) }}
    from int_models
),

centroids as (
    select
        model_version,
        is_current,
        segment_id,
        {{ unnested({
            'features': 'feature', places_in('features'): 'feature_order', 'transforms': 'transform', 'means': 'mean', 'scales': 'scale',
            'centroid_scaled': 'centroid_scaled',
        }) }}
    from segments
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
        mean + scale * centroid_scaled as centroid,
        centroid_scaled,
        is_current
    from centroids
)

select * from final
order by model_version, segment_id, feature_order
