{{ config(severity=segmentation().gates.drift.severity) }}
{%- set bound = segmentation().gates.drift.bound -%}
-- Asserts: customers are like those that the model was fitted on, unless this build fits a new one. Every label relies on it.
{% set query %}
    select
        drift.feature || ' has drifted from what model ' || drift.model_version || ' was fitted on: its stability index is '
        || round(drift.psi, 3) || ', the gate is {{ bound }}; fit anew with --vars ''{refit: true}'' or refit: auto, or raise the bound under '
        || 'gates: drift: in dbt_project.yml. Where the customers read were the wrong ones, make restore goes back to an earlier build; '
        || 'model_version: in dbt_project.yml goes back to an earlier model.' as sentence
    from {{ ref('int_feature_drift') }} as drift
    cross join {{ ref('int_refit_decision') }} as decision
    where
        decision.reason is null
        and drift.psi >= {{ bound }}
{% endset %}
{{ gate('drift', query) }}
