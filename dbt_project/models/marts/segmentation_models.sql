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
        segmentation_fits.fitted_at,
        segmentation_fits.reason,
        cast(segmentation_fits.n_clusters as integer) as n_clusters,
        segmentation_fits.n_clusters_setting,
        array_to_string(segmentation_fits.features, ', ') as features,
        segmentation_fits.seed,
        segmentation_fits.n_customers,
        segmentation_fits.n_distinct_rows,
        list_min(segmentation_fits.sizes) / segmentation_fits.n_customers as smallest_segment_share,
        k_scores.wcss,
        k_scores.silhouette,
        segmentation_fits.silhouette_rows,
        k_scores.davies_bouldin,
        k_scores.calinski_harabasz,
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
