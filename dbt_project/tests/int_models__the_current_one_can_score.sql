-- Asserts: where no new model is fitted, every feature of the one that is there is still configured. Scoring relies on it.
{% set query %}
    with

    int_refit_decision as (
        select * from {{ ref('int_refit_decision') }}
    ),

    int_models as (
        select * from {{ ref('int_models') }}
    ),

    needed as (
        select
            int_models.model_version,
            {{ unnested({'int_models.features': 'feature', 'int_models.transforms': 'transform'}) }}
        from int_models
        cross join int_refit_decision
        where int_models.is_current and int_refit_decision.reason is null
    ),

    missing as (
        select
            model_version,
            feature || ' (' || transform || ')' as feature
        from needed
    )

    select
        'Model ' || model_version || ' was fitted on ' || {{ joined_texts('feature', ' and ', 'feature') }}
        || ', which the configuration no longer has, and refit is never: fit anew with --vars ''{refit: true}'', or put the feature back in '
        || 'dbt_project.yml.' as sentence
    from missing
    where feature not in ({{ features_with_transforms() }})
    group by model_version
{% endset %}
{{ sentences_reported(query, 'error') }}
