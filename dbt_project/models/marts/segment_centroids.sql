{{ config(enabled=has_customers()) }}
{%- set settings = segmentation() -%}
{%- set lists = {
    'features': 'feature', places_in('features'): 'feature_order', 'fill_values': 'fill_value', 'transforms': 'transform', 'lambdas': 'transform_lambda',
    'means': 'mean', 'scales': 'scale', 'centroid_scaled': 'centroid_scaled',
} -%}
{%- if settings.has_weights %}{% do lists.update({'feature_weights': 'weight'}) %}{% endif %}
with

int_models as (
    select * from {{ ref('int_models') }}
),

segments as (
    select
        model_version,
        is_current,
        features,
        fill_values,
        transforms,
        lambdas,
        means,
        scales,
        {% if settings.has_weights %}
        feature_weights,
        {% endif %}
        {{ unnested({'segment_ids': 'segment_id', 'centroids_scaled': 'centroid_scaled'}) }}
    from int_models
),

centroids as (
    select
        model_version,
        is_current,
        segment_id,
        {{ unnested(lists) }}
    from segments
),

final as (
    select
        cast(model_version as integer) as model_version,
        cast(segment_id as integer) as segment_id,
        feature,
        cast(feature_order as integer) as feature_order,
        fill_value,
        transform,
        transform_lambda,
        mean,
        scale,
        mean + scale * centroid_scaled as centroid,
        {{ in_own_unit_of('transform', 'mean + scale * centroid_scaled', 'transform_lambda') }} as centroid_in_own_unit,
        centroid_scaled,
        {% if settings.has_weights %}
        -- Models of before there were weights have none.
        coalesce(weight, 1) as weight,
        {% endif %}
        is_current
    from centroids
)

select * from final
order by model_version, segment_id, feature_order
