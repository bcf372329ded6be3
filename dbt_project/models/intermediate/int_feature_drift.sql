{%- set fits, builds = left_by_builds('segmentation_fits'), left_by_builds('segment_drift') -%}
-- Today's customers against those that the model was fitted on which this build uses unless it fits one; empty where there is no such model.
with

{% if not builds %}
final as (
    select
        cast(null as bigint) as model_version,
        cast(null as string) as feature,
        cast(null as double) as psi,
        cast(null as double) as unseen_share
    from {{ ref('int_training_rows') }}
    where false
)
{% else %}
int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

present_model as (
    select {{ version_to_go_on_with('builds') }} as model_version
    from {{ builds }} as builds
),

tenths as (
    select
        fits.model_version,
        {{ unnested({'fits.bins': 'bin'}) }}
    from {{ fits }} as fits
    inner join present_model on fits.model_version = present_model.model_version
),

expected as (
    select
        model_version,
        bin['feature'] as feature,
        bin['lowest'] as lowest,
        bin['highest'] as highest,
        bin['upper_edges'] as upper_edges,
        bin['shares'] as shares
    from tenths
),

preparations as (
    select {{ unnested({'fits.features': 'feature', 'fits.fill_values': 'fill_value', 'fits.lambdas': 'power'}) }}
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
        share
    from bins
),

shares_today as (
    select
        bounds.model_version,
        bounds.feature,
        bounds.share,
        coalesce(sum(feature_values.n_customers), 0)
        / sum(coalesce(sum(feature_values.n_customers), 0)) over (partition by bounds.feature) as share_today
    from bounds
    left join feature_values
        on
            bounds.feature = feature_values.feature
            and bounds.lower_edge < feature_values.feature_value
            and bounds.upper_edge >= feature_values.feature_value
    group by bounds.model_version, bounds.feature, bounds.upper_edge, bounds.share
),

final as (
    select
        shares_today.model_version,
        shares_today.feature,
        sum({{ stability_term('shares_today.share_today', 'shares_today.share') }}) as psi,
        any_value(unseen.unseen_share) as unseen_share
    from shares_today
    inner join unseen on shares_today.feature = unseen.feature
    group by shares_today.model_version, shares_today.feature
)
{% endif %}

select * from final
