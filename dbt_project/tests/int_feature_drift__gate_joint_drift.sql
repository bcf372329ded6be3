{{ config(severity=segmentation().gates.joint_drift.severity) }}
{%- set bound = segmentation().gates.joint_drift.bound -%}
-- Asserts: the features still go together as they did when the model was fitted, unless this build fits a new one. Rules and names rely on it.
{% set query %}
    select distinct
        'The features no longer go together as they did when model ' || drift.model_version || ' was fitted: customers lie between the segments, with a joint '
        || 'drift of ' || {{ rounded('drift.joint_drift', 3) }} || ', the gate is {{ bound }}; make sure that every column of the file belongs to its customer; '
        {% if segmentation().model_version %}
        || 'take model_version out of dbt_project.yml to let builds fit a new model, '
        {% else %}
        || 'fit anew with --vars ''{refit: true}'' or refit: auto, '
        {% endif %}
        || 'go back to an earlier build with make restore, or raise the bound under gates: joint_drift: in dbt_project.yml.' as sentence
    from {{ ref('int_feature_drift') }} as drift
    cross join {{ ref('int_refit_decision') }} as decision
    where
        decision.reason is null
        and decision.obstacle is null
        and drift.joint_drift >= {{ bound }}
        and drift.joint_drift > drift.joint_drift_by_chance
{% endset %}
{{ gate('joint_drift', query) }}
