{{ config(severity=segmentation().gates.agreement.severity) }}
{%- set bound = segmentation().gates.agreement.bound -%}
-- Asserts: a new model puts customers together much as the one before did. Everybody who compares over time relies on it.
{% set query %}
    select
        'Model ' || models.model_version || ' agrees with the one before by an adjusted Rand index of ' || {{ rounded('models.agreement', 3) }}
        || ', below the gate of {{ bound }}: see segment_migrations for who moved; go back to the configuration before, to the model before with '
        || 'model_version: ' || decision.last_build_version || ' in dbt_project.yml, or to an earlier build with make restore; or lower the bound '
        || 'under gates: agreement: in dbt_project.yml to accept the new segments.' as sentence
    from {{ ref('segmentation_models') }} as models
    inner join {{ ref('int_refit_decision') }} as decision on models.model_version = decision.model_version
    where
        decision.reason is not null
        and models.agreement < {{ bound }}
{% endset %}
{{ gate('agreement', query) }}
