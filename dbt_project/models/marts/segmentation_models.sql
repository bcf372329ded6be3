with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

k_scores as (
    select * from {{ ref('k_scores') }}
),

final as (
    select
        cast(segmentation_fits.model_version as integer) as model_version,
        cast(segmentation_fits.fitted_at as timestamp) as fitted_at,
        segmentation_fits.reason,
        segmentation_fits.configuration,
        cast(segmentation_fits.n_clusters as integer) as n_clusters,
        segmentation_fits.n_clusters_setting,
        array_to_string(segmentation_fits.features, ', ') as features,
        cast(segmentation_fits.seed as bigint) as seed,
        segmentation_fits.n_customers,
        segmentation_fits.n_distinct_rows,
        coalesce(segmentation_fits.is_sampled, false) as is_sampled,
        segmentation_fits.data_fingerprint,
        list_min(segmentation_fits.sizes) / segmentation_fits.n_customers as smallest_segment_share,
        coalesce(segmentation_fits.wcss, k_scores.wcss) as wcss,
        k_scores.silhouette,
        segmentation_fits.silhouette_rows,
        k_scores.davies_bouldin,
        k_scores.calinski_harabasz,
        segmentation_fits.stability,
        case when not isnan(segmentation_fits.agreement) then segmentation_fits.agreement end as agreement,
        array_to_string(segmentation_fits.kept, ', ') as kept_segments,
        array_to_string(segmentation_fits.new, ', ') as new_segments,
        array_to_string(segmentation_fits.retired, ', ') as retired_segments,
        case when not isnan(segmentation_fits.agreement) then array_to_string(segmentation_fits.split, ', ') end as split_segments,
        case when not isnan(segmentation_fits.agreement) then array_to_string(segmentation_fits.merged, ', ') end as merged_segments,
        k_scores.verdict,
        segmentation_fits.library_versions
    from segmentation_fits
    inner join k_scores
        on
            segmentation_fits.model_version = k_scores.model_version
            and k_scores.is_used
)

select * from final
order by model_version
