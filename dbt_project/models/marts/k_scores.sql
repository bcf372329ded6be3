with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

tried as (
    select
        model_version,
        n_clusters,
        n_clusters_setting,
        unnest(k_scores) as score
    from segmentation_fits
),

-- NaN stands for a criterion that is not defined for a k.
scores as (
    select
        model_version,
        n_clusters,
        n_clusters_setting,
        score.k,
        score.wcss,
        case when not isnan(score.silhouette) then score.silhouette end as silhouette,
        case when not isnan(score.davies_bouldin) then score.davies_bouldin end as davies_bouldin,
        case when not isnan(score.calinski_harabasz) then score.calinski_harabasz end as calinski_harabasz,
        score.elbow_score
    from tried
),

preferences as (
    select
        *,
        first_value(k) over (
            partition by model_version
            order by elbow_score desc, k
        ) as k_elbow,
        first_value(k) over (
            partition by model_version
            order by silhouette desc nulls last, k
        ) as k_silhouette,
        first_value(k) over (
            partition by model_version
            order by davies_bouldin asc nulls last, k
        ) as k_davies_bouldin,
        first_value(k) over (
            partition by model_version
            order by calinski_harabasz desc nulls last, k
        ) as k_calinski_harabasz
    from scores
),

-- The elbow depends on where the curve is cut off: it is looked for again with the curve cut at every k of its upper half.
cuts as (
    select
        scores.model_version,
        last_scores.k as last_k,
        scores.k,
        1
        - (scores.k - min(scores.k) over cut) / nullif(max(scores.k) over cut - min(scores.k) over cut, 0)
        - (scores.wcss - min(scores.wcss) over cut) / nullif(max(scores.wcss) over cut - min(scores.wcss) over cut, 0)
            as elbow_score
    from scores
    inner join scores as last_scores
        on
            scores.model_version = last_scores.model_version
            and scores.k <= last_scores.k
    window cut as (partition by scores.model_version, last_scores.k)
),

elbows as (
    select
        model_version,
        last_k,
        k
    from cuts
    qualify
        row_number() over (
            partition by model_version, last_k
            order by elbow_score desc nulls last, k
        ) = 1
        and 2 * last_k >= max(last_k) over (partition by model_version)
),

elbow_ranges as (
    select
        model_version,
        min(last_k) as first_last_k,
        max(last_k) as last_last_k,
        min(k) as lowest_elbow,
        max(k) as highest_elbow
    from elbows
    group by model_version
),

final as (
    select
        cast(preferences.model_version as integer) as model_version,
        cast(preferences.k as integer) as k,
        preferences.wcss,
        preferences.silhouette,
        preferences.davies_bouldin,
        preferences.calinski_harabasz,
        preferences.elbow_score,
        nullif(concat_ws(
            ', ',
            case when preferences.k = preferences.k_elbow then 'elbow' end,
            case when preferences.k = preferences.k_silhouette then 'silhouette' end,
            case when preferences.k = preferences.k_davies_bouldin then 'Davies-Bouldin' end,
            case when preferences.k = preferences.k_calinski_harabasz then 'Calinski-Harabasz' end
        ), '') as preferred_by,
        preferences.k = preferences.n_clusters as is_used,
        case
            when
                preferences.k_elbow = preferences.k_silhouette
                and preferences.k_elbow = preferences.k_davies_bouldin
                and preferences.k_elbow = preferences.k_calinski_harabasz
                then 'All four criteria prefer ' || preferences.k_elbow || ' segments.'
            else
                'The criteria disagree: the elbow prefers ' || preferences.k_elbow || ' segments, the silhouette '
                || preferences.k_silhouette || ', Davies-Bouldin ' || preferences.k_davies_bouldin
                || ' and Calinski-Harabasz ' || preferences.k_calinski_harabasz || '.'
        end
        || case
            when elbow_ranges.lowest_elbow = elbow_ranges.highest_elbow then ' The elbow stays where it is'
            else ' The elbow moves between ' || elbow_ranges.lowest_elbow || ' and ' || elbow_ranges.highest_elbow
        end
        || ' when the largest k tried goes from ' || elbow_ranges.first_last_k || ' to ' || elbow_ranges.last_last_k || '.'
        || case
            when preferences.n_clusters_setting = 'auto'
                then ' ' || preferences.n_clusters || ' are used: n_clusters is auto, which takes the elbow.'
            else ' ' || preferences.n_clusters || ' are used, as n_clusters says.'
        end as verdict
    from preferences
    inner join elbow_ranges on preferences.model_version = elbow_ranges.model_version
)

select * from final
order by model_version, k
