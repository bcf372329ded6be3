{{ config(severity=segmentation().gates.agreement.severity) }}
{%- set bound = segmentation().gates.agreement.bound -%}
-- Asserts: a new model puts customers together much as the one before did. Everybody who compares over time relies on it.
{% set query %}
    select
        'Model ' || model_version || ' agrees with the one before by an adjusted Rand index of ' || round(agreement, 3)
        || ', below the gate of {{ bound }}: see segment_migrations for who moved. Go back with make restore, to an earlier build, '
        || 'or with model_version: in dbt_project.yml, to an earlier model; or lower the bound under gates: agreement: there to accept '
        || 'the new segments.' as sentence
    from {{ ref('segmentation_models') }}
    where
        model_version = (select model_version from {{ ref('int_refit_decision') }})
        and agreement < {{ bound }}
{% endset %}
{{ gate('agreement', query) }}
