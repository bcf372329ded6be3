{{ config(severity=segmentation().gates.stability.severity) }}
{%- set bound = segmentation().gates.stability.bound -%}
-- Asserts: no segment is below the bound by more than chance: twice the standard error, 95 %. Who builds on a segment relies on it.
{% set query %}
    with

    firmer as (
        select {{ joined_texts("k_scores.k || ' (' || " ~ rounded('k_scores.stability', 2) ~ " || ')'", ', ', 'k_scores.k') }} as numbers
        from {{ ref('k_scores') }} as k_scores
        inner join {{ ref('int_models') }} as int_models on k_scores.model_version = int_models.model_version
        where int_models.is_current and k_scores.stability >= {{ bound }} and not k_scores.is_used
    )

    select
        'Segment ' || segment_profiles.segment_id || ' (' || segment_profiles.segment_name || ') has a bootstrap stability of '
        || {{ rounded('segment_profiles.stability', 3) }} || ', below the gate of {{ bound }}: it may be an accident of these customers. '
        || coalesce(
            'Firmer in their weakest segment are these numbers of segments: ' || firmer.numbers || '; set n_clusters to one of them, or lower',
            'No other number of segments in k_scores is firm; look at the features, or lower'
        )
        || ' the bound under gates: stability: in dbt_project.yml.' as sentence
    from {{ ref('segment_profiles') }} as segment_profiles
    cross join firmer
    where segment_profiles.stability + 2 * coalesce(segment_profiles.stability_standard_error, 0) < {{ bound }}
{% endset %}
{{ gate('stability', query) }}
