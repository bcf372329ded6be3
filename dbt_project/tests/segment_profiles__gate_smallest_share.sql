{{ config(severity=segmentation().gates.smallest_share.severity) }}
{%- set bound = segmentation().gates.smallest_share.bound -%}
-- Asserts: no segment is so small that nobody can act on it. Who plans campaigns by segment relies on it. The likely cause is the feature with a heavy tail
-- in whose tail the segment lies: beyond two standard deviations, as one customer in twenty does on a bell curve.
{% set query %}
    with

    causes as (
        select
            segment_feature_profiles.segment_id,
            max_by(
                'It lies ' || {{ rounded('abs(segment_feature_profiles.mean_scaled)', 1) }} || ' standard deviations '
                || case when segment_feature_profiles.mean_scaled > 0 then 'above' else 'below' end || ' the average in '
                || feature_diagnostics.feature || '. ' || feature_diagnostics.advice || ' Otherwise lower ',
                abs(segment_feature_profiles.mean_scaled)
            ) as cause
        from {{ ref('segment_feature_profiles') }} as segment_feature_profiles
        inner join {{ ref('feature_diagnostics') }} as feature_diagnostics
            on
                segment_feature_profiles.feature = feature_diagnostics.feature
                and feature_diagnostics.advice is not null
                and {{ is_heavy_tailed('feature_diagnostics.skewness_transformed', 'feature_diagnostics.excess_kurtosis_transformed') }}
        where abs(segment_feature_profiles.mean_scaled) > 2
        group by segment_feature_profiles.segment_id
    )

    select
        'Segment ' || segment_profiles.segment_id || ' (' || segment_profiles.segment_name || ') has ' || segment_profiles.n_customers
        || case when segment_profiles.n_customers = 1 then ' customer' else ' customers' end || ', a share of ' || {{ rounded('segment_profiles.share', 4) }}
        || ', below the gate of {{ bound }}' || coalesce('. ' || causes.cause, ': lower ') || 'n_clusters, or the bound under gates: smallest_share: '
        || 'in dbt_project.yml.' as sentence
    from {{ ref('segment_profiles') }} as segment_profiles
    left join causes on segment_profiles.segment_id = causes.segment_id
    where segment_profiles.share < {{ bound }}
{% endset %}
{{ gate('smallest_share', query) }}
