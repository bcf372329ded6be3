{{ config(severity=segmentation().gates.structure.severity) }}
-- Asserts: the segments of the model in use are groups, and not only cuts. Who reads a segment as a kind of customer relies on it.
{% set query %}
    select
        case models.structure
            when 'none' then
                'The customers are no more separated than a crowd without groups: the ' || models.n_clusters || ' segments of model '
                || models.model_version || ' are cuts. Call them so, or look for features that tell customers apart.'
            else
                'The features part customers as clearly each by itself: the ' || models.n_clusters || ' segments of model '
                || models.model_version || ' are ranges, not groups. A range of one feature would do, or look for features that go together.'
        end as sentence
    from {{ ref('segmentation_models') }} as models
    inner join {{ ref('int_refit_decision') }} as decision on models.model_version = decision.model_version
    where models.structure in ('none', 'ranges')
{% endset %}
{{ gate('structure', query) }}
