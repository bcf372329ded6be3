{{ config(enabled=has_customers()) }}
with

int_models as (
    select * from {{ ref('int_models') }}
),

tried as (
    select
        model_version,
        n_clusters,
        n_clusters_setting,
        chosen_by,
        structure,
        {{ unnested({
            'k_scores': 'score', 'compared_silhouettes': 'compared_silhouette', 'crowd_silhouettes': 'crowd_silhouette', 'crowd_bounds': 'crowd_bound',
            'gaps': 'gap', 'gap_errors': 'gap_error', 'k_stabilities': 'stability', 'prediction_strengths': 'prediction_strength',
        }) }}
    from int_models
),

-- NaN stands for a criterion that is not defined for a k.
scores as (
    select
        model_version,
        n_clusters,
        n_clusters_setting,
        structure,
        chosen_by,
        score['k'] as k,
        cast(score['wcss'] as double) as wcss,
        cast(nullif(score['silhouette'], cast('nan' as double)) as double) as silhouette,
        cast(nullif(score['davies_bouldin'], cast('nan' as double)) as double) as davies_bouldin,
        cast(nullif(score['calinski_harabasz'], cast('nan' as double)) as double) as calinski_harabasz,
        nullif(compared_silhouette, cast('nan' as double)) as compared_silhouette,
        nullif(crowd_silhouette, cast('nan' as double)) as crowd_silhouette,
        nullif(crowd_bound, cast('nan' as double)) as crowd_silhouette_bound,
        gap,
        gap_error as gap_standard_error,
        lag(gap) over (partition by model_version order by score['k']) as last_gap,
        lead(gap - gap_error) over (partition by model_version order by score['k']) as least_next_gap,
        max(gap) over (partition by model_version) as greatest_gap,
        max(score['k']) over (partition by model_version) as last_k,
        cast(score['elbow_score'] as double) as elbow_score,
        nullif(stability, cast('nan' as double)) as stability,
        nullif(prediction_strength, cast('nan' as double)) as prediction_strength,
        max(score['elbow_score']) over (partition by model_version) > 0 as has_elbow
    from tried
    where {{ computed_once() }}
),

criteria as (
    select
        model_version,
        k,
        1 as criterion_order,
        'elbow' as criterion,
        case when has_elbow then elbow_score end as goodness
    from scores
    union all
    select
        model_version,
        k,
        2 as criterion_order,
        'silhouette' as criterion,
        silhouette as goodness
    from scores
    union all
    select
        model_version,
        k,
        3 as criterion_order,
        'Davies-Bouldin' as criterion,
        -davies_bouldin as goodness
    from scores
    union all
    select
        model_version,
        k,
        4 as criterion_order,
        'Calinski-Harabasz' as criterion,
        calinski_harabasz as goodness
    from scores
),

ranked as (
    select
        model_version,
        k,
        criterion_order,
        criterion,
        row_number() over (
            partition by model_version, criterion
            order by goodness desc, k asc
        ) as preference,
        count(*) over (partition by model_version, criterion) as n_compared
    from criteria
    where goodness is not null
),

-- A criterion prefers something only where there is something to compare.
preferences as (
    select
        model_version,
        k,
        criterion_order,
        criterion
    from ranked
    where preference = 1 and n_compared > 1 and {{ computed_once() }}
),

preferred as (
    select
        model_version,
        k,
        {{ joined_texts('criterion', ', ', 'criterion_order') }} as preferred_by
    from preferences
    group by model_version, k
),

agreements as (
    select
        model_version,
        case
            when count(distinct k) = 1 then 'All criteria prefer ' || min(k) || ' segments.'
            else
                'The criteria disagree on the number of segments: '
                || {{ joined_texts("criterion || ' ' || k", ', ', 'criterion_order') }} || '.'
        end as sentence
    from preferences
    group by model_version
),

-- The elbow depends on where the curve ends: it is looked for again with the curve cut off at every k of its upper half.
cut_scores as (
    select
        scores.model_version,
        scores.k,
        ends.k as last_k,
        1
        - (scores.k - min(scores.k) over cut) / nullif(max(scores.k) over cut - min(scores.k) over cut, 0)
        - (scores.wcss - min(scores.wcss) over cut) / nullif(max(scores.wcss) over cut - min(scores.wcss) over cut, 0)
            as elbow_score
    from scores
    inner join scores as ends
        on
            scores.model_version = ends.model_version
            and scores.k <= ends.k
    window cut as (partition by scores.model_version, ends.k)
),

ranked_cuts as (
    select
        model_version,
        last_k,
        k,
        row_number() over (
            partition by model_version, last_k
            order by elbow_score desc, k asc
        ) as preference,
        max(last_k) over (partition by model_version) as longest
    from cut_scores
    where elbow_score > 0
),

cut_elbows as (
    select
        model_version,
        last_k,
        k
    from ranked_cuts
    where preference = 1 and 2 * last_k >= longest
),

sensitivities as (
    select
        model_version,
        case
            when min(k) = max(k) then 'The elbow stays at ' || min(k)
            else 'The elbow moves between ' || min(k) || ' and ' || max(k)
        end
        || ' when the largest k tried goes from ' || min(last_k) || ' to ' || max(last_k) || '.' as sentence
    from cut_elbows
    group by model_version
),

-- Where there are groups, one more segment gains more than in a crowd without groups until each group has one.
ends as (
    select
        model_version,
        'The range ends before the curve does: segment ' || k || ', the last one tried, still gains more than in a crowd without groups; raise the end of '
        || 'k_range.' as sentence
    from scores
    where structure <> 'none' and k = last_k and gap = greatest_gap and gap - gap_standard_error > last_gap
),

rules as (
    select
        model_version,
        n_clusters,
        n_clusters_setting,
        chosen_by,
        bool_or(has_elbow) as has_elbow,
        count(*) as n_tried,
        case chosen_by
            when 'gap' then bool_or(structure = 'none' and k = 1 and gap >= least_next_gap)
            when 'prediction_strength' then coalesce(max(prediction_strength) filter (where k > 1), 0) < 0.8
        end as is_one_group
    from scores
    group by model_version, n_clusters, n_clusters_setting, chosen_by
),

choices as (
    select
        model_version,
        'In use: ' || n_clusters
        || case
            when chosen_by = 'number' then ', as n_clusters says.'
            when n_tried = 1 then ', the only number tried.'
            when chosen_by = 'prediction_strength' and n_clusters_setting = 'elbow'
                then ', since n_clusters is elbow, the curve has no knee, and prediction strength decides instead: it '
            else ', since n_clusters is ' || n_clusters_setting || ', which '
        end
        || case
            when chosen_by = 'number' or n_tried = 1 then ''
            when chosen_by = 'elbow' and has_elbow then 'takes the elbow.'
            when chosen_by = 'elbow' then 'takes the smallest number tried where there is no elbow.'
            when chosen_by = 'silhouette' then 'takes the highest silhouette.'
            when is_one_group then 'finds one group only: there is no structure, and the segments are cuts.'
            when chosen_by = 'gap' then 'takes the smallest number whose gap statistic is not clearly below that of the next.'
            when chosen_by = 'prediction_strength' then 'takes the largest number with a prediction strength of 0.8 or more.'
        end as sentence
    from rules
),

final as (
    select
        cast(scores.model_version as integer) as model_version,
        cast(scores.k as integer) as k,
        scores.wcss,
        scores.silhouette,
        scores.davies_bouldin,
        scores.calinski_harabasz,
        scores.elbow_score,
        scores.compared_silhouette,
        scores.crowd_silhouette,
        scores.crowd_silhouette_bound,
        scores.gap,
        scores.gap_standard_error,
        scores.stability,
        scores.prediction_strength,
        preferred.preferred_by,
        scores.k = scores.n_clusters as is_used,
        concat_ws(
            ' ',
            case scores.structure
                when 'groups' then 'There are groups: customers part more clearly than a crowd without groups.'
                when 'ranges' then 'These are ranges, not groups: the features part customers as clearly each by itself, so a range of one feature would do.'
                when 'none' then 'These are cuts, not groups: customers are no more separated than a crowd without groups.'
            end,
            coalesce(agreements.sentence, 'Too few numbers of segments were tried to compare them.'),
            sensitivities.sentence,
            ends.sentence,
            choices.sentence
        ) as verdict
    from scores
    left join preferred
        on
            scores.model_version = preferred.model_version
            and scores.k = preferred.k
    left join agreements on scores.model_version = agreements.model_version
    left join sensitivities on scores.model_version = sensitivities.model_version
    left join ends on scores.model_version = ends.model_version
    left join choices on scores.model_version = choices.model_version
)

select * from final
order by model_version, k
