{{ config(severity=segmentation().gates.silhouette.severity) }}
{%- set bound = segmentation().gates.silhouette.bound -%}
-- Asserts: the segments of the model in use are apart. Names and rules rely on it: they describe groups that must be there.
{% set query %}
    select
        'The silhouette of model ' || model_version || ' is ' || {{ rounded('silhouette', 3) }} || ', below the gate of {{ bound }}: the segments '
        || 'hardly differ; look at k_scores for a better n_clusters, or at the features, or lower the bound under gates: silhouette: '
        || 'in dbt_project.yml.' as sentence
    from {{ ref('segmentation_models') }}
    where
        model_version = (select model_version from {{ ref('int_refit_decision') }})
        and silhouette < {{ bound }}
{% endset %}
{{ gate('silhouette', query) }}
