{{ config(enabled=has_customers()) }}
{%- set fits, builds = left_by_builds('segmentation_fits'), left_by_builds('segment_drift') -%}
-- Today's customers against those that the model was fitted on which this build uses unless it fits one; empty where there is no such model.
with

int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

int_joint_drift as (
    select * from {{ ref('int_joint_drift') }}
),

{% if not builds %}
final as (
    select
        cast(null as bigint) as model_version,
        cast(null as string) as feature,
        cast(null as double) as psi,
        cast(null as double) as unseen_share,
        cast(null as double) as psi_by_chance,
        cast(null as double) as joint_drift,
        cast(null as double) as joint_drift_by_chance
    from int_training_rows
    where false
)
{% else %}
present_model as (
    select {{ version_to_go_on_with('builds') }} as model_version
    from {{ builds }} as builds
),

tenths as (
    select
        fits.model_version,
        {{ customers_measured('fits') }} as n_customers,
        {{ unnested({'fits.bins': 'bin'}) }}
    from {{ fits }} as fits
    inner join present_model on fits.model_version = present_model.model_version
),

expected as (
    select
        model_version,
        n_customers,
        bin['feature'] as feature,
        bin['lowest'] as lowest,
        bin['highest'] as highest,
        bin['upper_edges'] as upper_edges,
        bin['shares'] as shares
    from tenths
),

preparations as (
    select
        {{ unnested({
            'fits.features': 'feature', places_in('fits.features'): 'place', 'fits.fill_values': 'fill_value', 'fits.lambdas': 'power',
        }) }}
    from {{ fits }} as fits
    inner join present_model on fits.model_version = present_model.model_version
),

feature_values as (
    {{ weighted_feature_values('int_training_rows', 'preparations') }}
),

unseen as (
    select
        feature_values.feature,
        sum(case when feature_values.feature_value between expected.lowest and expected.highest then 0 else feature_values.n_customers end)
        / sum(feature_values.n_customers) as unseen_share
    from feature_values
    inner join expected on feature_values.feature = expected.feature
    group by feature_values.feature
),

bins as (
    select
        model_version,
        n_customers,
        feature,
        {{ unnested({'upper_edges': 'upper_edge', 'shares': 'share'}) }}
    from expected
),

bounds as (
    select
        model_version,
        feature,
        lag(upper_edge, 1, cast('-infinity' as double)) over (
            partition by feature
            order by upper_edge
        ) as lower_edge,
        upper_edge,
        share * n_customers as n_at_fit,
        n_customers as n_all_at_fit
    from bins
),

bins_today as (
    select
        bounds.model_version,
        bounds.feature,
        bounds.n_at_fit,
        bounds.n_all_at_fit,
        coalesce(sum(feature_values.n_customers), 0) as n_today,
        sum(coalesce(sum(feature_values.n_customers), 0)) over (partition by bounds.feature) as n_all_today,
        count(*) over (partition by bounds.feature) as n_bins
    from bounds
    left join feature_values
        on
            bounds.feature = feature_values.feature
            and bounds.lower_edge < feature_values.feature_value
            and bounds.upper_edge >= feature_values.feature_value
    group by bounds.model_version, bounds.feature, bounds.upper_edge, bounds.n_at_fit, bounds.n_all_at_fit
),

shares as (
    select
        model_version,
        feature,
        n_bins,
        n_all_at_fit,
        n_all_today,
        {{ share_of_bin('n_at_fit', 'n_all_at_fit', 'n_bins') }} as share_at_fit,
        {{ share_of_bin('n_today', 'n_all_today', 'n_bins') }} as share_today
    from bins_today
),

indices as (
    select
        model_version,
        feature,
        sum({{ stability_term('share_today', 'share_at_fit') }}) as psi,
        {{ index_by_chance('count(*)', 'max(n_all_at_fit)', 'max(n_all_today)') }} as psi_by_chance
    from shares
    group by model_version, feature
),

final as (
    select
        indices.model_version,
        indices.feature,
        indices.psi,
        unseen.unseen_share,
        indices.psi_by_chance,
        int_joint_drift.joint_drift,
        int_joint_drift.joint_drift_by_chance
    from indices
    inner join unseen on indices.feature = unseen.feature
    left join int_joint_drift on indices.model_version = int_joint_drift.model_version
)
{% endif %}

select * from final
