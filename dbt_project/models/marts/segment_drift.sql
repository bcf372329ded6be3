{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

segment_profiles as (
    select * from {{ ref('segment_profiles') }}
),

fitted as (
    select
        model_version,
        n_customers,
        unnest(segment_ids) as segment_id,
        unnest(sizes) as size,
        unnest(mean_distances) as mean_distance
    from segmentation_fits
    qualify model_version = max(model_version) over ()
),

final as (
    select
        {{ build_columns() }},
        cast(fitted.model_version as integer) as model_version,
        cast(fitted.segment_id as integer) as segment_id,
        segment_profiles.segment_name,
        coalesce(segment_profiles.n_customers, 0) as n_customers,
        coalesce(segment_profiles.share, 0) as share,
        fitted.size / fitted.n_customers as share_at_fit,
        segment_profiles.mean_distance,
        fitted.mean_distance as mean_distance_at_fit
    from fitted
    left join segment_profiles on fitted.segment_id = segment_profiles.segment_id
)

select * from final
order by segment_id
