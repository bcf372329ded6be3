{{ config(severity=segmentation().gates.stability.severity) }}
{%- set bound = segmentation().gates.stability.bound -%}
-- Asserts: every segment would be found again in other customers of the same kind. Who builds on a segment relies on it.
{% set query %}
    select
        'Segment ' || segment_id || ' (' || segment_name || ') has a bootstrap stability of ' || round(stability, 3)
        || ', below the gate of {{ bound }}: it may be an accident of these customers; lower n_clusters, or the bound under gates: stability: '
        || 'in dbt_project.yml.' as sentence
    from {{ ref('segment_profiles') }}
    where stability < {{ bound }}
{% endset %}
{{ gate('stability', query) }}
