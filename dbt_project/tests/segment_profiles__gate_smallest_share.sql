{{ config(severity=segmentation().gates.smallest_share.severity) }}
{%- set bound = segmentation().gates.smallest_share.bound -%}
-- Asserts: no segment is so small that nobody can act on it. Who plans campaigns by segment relies on it.
{% set query %}
    select
        'Segment ' || segment_id || ' (' || segment_name || ') has ' || n_customers || ' customers, a share of ' || round(share, 4)
        || ', below the gate of {{ bound }}: lower n_clusters, or the bound under gates: smallest_share: in dbt_project.yml.' as sentence
    from {{ ref('segment_profiles') }}
    where share < {{ bound }}
{% endset %}
{{ gate('smallest_share', query) }}
