{{ config(enabled=has_customers(), materialized='view' if target.type == 'duckdb' else 'table') }}
{%- set builds = existing_table('builds') if execute -%}
-- What a build left that did not come to its end is no model: another one may have its number by now. A table on Spark, which would join the builds anew for
-- each of the many readers, and refuses the plan where one of them computes a step apart.
with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

builds_that_count as (
    select build_id from int_refit_decision
    {%- if builds %}
    union distinct
    select builds.build_id
    from {{ builds }} as builds
    where {{ builds_that_count('segmentation_fits') }}
    {%- endif %}
),

final as (
    select
        segmentation_fits.model_version,
        segmentation_fits.fitted_at,
        segmentation_fits.reason,
        segmentation_fits.configuration,
        segmentation_fits.n_clusters_setting,
        segmentation_fits.seed,
        segmentation_fits.data_fingerprint,
        segmentation_fits.library_versions,
        segmentation_fits.n_clusters,
        segmentation_fits.n_customers,
        segmentation_fits.n_distinct_rows,
        segmentation_fits.is_sampled,
        segmentation_fits.wcss,
        segmentation_fits.silhouette_rows,
        segmentation_fits.features,
        segmentation_fits.fill_values,
        segmentation_fits.transforms,
        segmentation_fits.lambdas,
        segmentation_fits.means,
        segmentation_fits.scales,
        {% if segmentation().has_weights %}
        segmentation_fits.feature_weights,
        {% endif %}
        segmentation_fits.segment_ids,
        segmentation_fits.centroids_scaled,
        segmentation_fits.sizes,
        segmentation_fits.mean_distances,
        segmentation_fits.mean_confidences,
        segmentation_fits.stabilities,
        segmentation_fits.stability_errors,
        segmentation_fits.stability,
        segmentation_fits.k_scores,
        segmentation_fits.structure,
        segmentation_fits.box_p_value,
        segmentation_fits.margins_p_value,
        segmentation_fits.compared_silhouettes,
        segmentation_fits.crowd_silhouettes,
        segmentation_fits.crowd_bounds,
        segmentation_fits.gaps,
        segmentation_fits.gap_errors,
        segmentation_fits.k_stabilities,
        -- Earlier versions of the project had one rule and did not record it.
        coalesce(
            segmentation_fits.chosen_by, case when segmentation_fits.n_clusters_setting = 'auto' then 'elbow' else 'number' end
        ) as chosen_by,
        segmentation_fits.prediction_strengths,
        segmentation_fits.rules,
        segmentation_fits.agreement,
        segmentation_fits.kept,
        segmentation_fits.new,
        segmentation_fits.returned,
        segmentation_fits.retired,
        segmentation_fits.split,
        segmentation_fits.merged,
        coalesce(segmentation_fits.model_version = int_refit_decision.model_version, false) as is_current
    from segmentation_fits
    inner join builds_that_count on segmentation_fits.build_id = builds_that_count.build_id
    cross join int_refit_decision
)

select * from final
