{{ config(enabled=has_customers(), materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
with

int_models as (
    select * from {{ ref('int_models') }}
),

segment_profiles as (
    select * from {{ ref('segment_profiles') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

fitted as (
    select
        model_version,
        n_customers,
        {{ unnested({'segment_ids': 'segment_id', 'sizes': 'size', 'mean_distances': 'mean_distance'}) }}
    from int_models
    where is_current
),

confidences as (
    select
        {{ unnested({'segment_ids': 'segment_id', 'mean_confidences': 'mean_confidence'}) }}
    from int_models
    where is_current
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
        fitted.mean_distance as mean_distance_at_fit,
        cast(int_refit_decision.unpinned_model_version as integer) as unpinned_model_version,
        segment_profiles.mean_confidence,
        nullif(confidences.mean_confidence, cast('nan' as double)) as mean_confidence_at_fit
    from fitted
    cross join int_refit_decision
    left join segment_profiles on fitted.segment_id = segment_profiles.segment_id
    left join confidences on fitted.segment_id = confidences.segment_id
)

select * from final
order by segment_id
