{{ config(enabled=has_customers()) }}
with

int_models as (
    select * from {{ ref('int_models') }}
),

k_scores as (
    select * from {{ ref('k_scores') }}
),

sizes as (
    select
        model_version,
        {{ unnested({'sizes': 'size'}) }}
    from int_models
),

smallest_sizes as (
    select
        model_version,
        min(size) as size
    from sizes
    group by model_version
),

model_columns as (
    select
        model_version,
        {{ unnested({'features': 'model_column', places_in('features'): 'place'}) }}
    from int_models
),

places as (
    select
        model_version,
        {{ feature_of('model_column') }} as feature,
        min(place) as place
    from model_columns
    group by model_version, {{ feature_of('model_column') }}
),

features as (
    select
        model_version,
        {{ joined_texts('feature', ', ', 'place') }} as features
    from places
    group by model_version
),

final as (
    select
        cast(int_models.model_version as integer) as model_version,
        cast(int_models.fitted_at as timestamp) as fitted_at,
        int_models.reason,
        int_models.configuration,
        cast(int_models.n_clusters as integer) as n_clusters,
        int_models.n_clusters_setting,
        int_models.chosen_by,
        features.features,
        cast(int_models.seed as bigint) as seed,
        int_models.n_customers,
        int_models.n_distinct_rows,
        coalesce(int_models.is_sampled, false) as is_sampled,
        int_models.data_fingerprint,
        smallest_sizes.size / int_models.n_customers as smallest_segment_share,
        coalesce(int_models.wcss, k_scores.wcss) as wcss,
        k_scores.silhouette,
        int_models.silhouette_rows,
        k_scores.davies_bouldin,
        k_scores.calinski_harabasz,
        int_models.structure,
        nullif(int_models.box_p_value, cast('nan' as double)) as box_p_value,
        nullif(int_models.margins_p_value, cast('nan' as double)) as margins_p_value,
        int_models.stability,
        nullif(int_models.agreement, cast('nan' as double)) as agreement,
        {{ joined_list('int_models.kept', ', ') }} as kept_segments,
        {{ joined_list('int_models.new', ', ') }} as new_segments,
        coalesce({{ joined_list('int_models.returned', ', ') }}, '') as returned_segments,
        {{ joined_list('int_models.retired', ', ') }} as retired_segments,
        case when nullif(int_models.agreement, cast('nan' as double)) is not null then {{ joined_list('int_models.split', ', ') }} end as split_segments,
        case when nullif(int_models.agreement, cast('nan' as double)) is not null then {{ joined_list('int_models.merged', ', ') }} end as merged_segments,
        k_scores.verdict,
        int_models.library_versions
    from int_models
    inner join smallest_sizes on int_models.model_version = smallest_sizes.model_version
    inner join features on int_models.model_version = features.model_version
    inner join k_scores
        on
            int_models.model_version = k_scores.model_version
            and k_scores.is_used
)

select * from final
order by model_version
