{{ config(severity=segmentation().gates.drift.severity) }}
{%- set bound = segmentation().gates.drift.bound -%}
-- Asserts: customers are like those that the model was fitted on, unless this build fits a new one. Every label relies on it.
{% set query %}
    select
        drift.feature || ' has drifted from what model ' || drift.model_version || ' was fitted on: its stability index is '
        || {{ rounded('drift.psi', 3) }} || ', the gate is {{ bound }}; '
        {% if segmentation().model_version %}
        || 'take model_version out of dbt_project.yml to let builds fit a new model, '
        {% else %}
        || 'fit anew with --vars ''{refit: true}'' or refit: auto, score with an earlier model by model_version in dbt_project.yml, '
        {% endif %}
        || 'go back to an earlier build with make restore, or raise the bound under gates: drift: in dbt_project.yml.' as sentence
    from {{ ref('int_feature_drift') }} as drift
    cross join {{ ref('int_refit_decision') }} as decision
    where
        decision.reason is null
        and decision.obstacle is null
        and drift.psi >= {{ bound }}
        and drift.psi > drift.psi_by_chance
{% endset %}
{{ gate('drift', query) }}
