{%- set settings = segmentation() -%}
{%- set fits = left_by_builds('segmentation_fits') -%}
{%- set filled_in = settings.features | selectattr('missing', 'equalto', 'median') | map(attribute='name') | list -%}
{%- set with_missing_level = settings.features | selectattr('missing', 'equalto', 'level') | map(attribute='name') | list -%}
-- Asserts: where no new model is fitted, the one to score with is there, was fitted on exactly the features of today, and has a value for those that are
-- filled in. Labels and names rely on it.
{% set query %}
    with

    int_refit_decision as (
        select * from {{ ref('int_refit_decision') }}
    ),

    {% if fits %}
    fitted_columns as (
        select
            fits.model_version,
            {{ unnested({'fits.features': 'feature', 'fits.transforms': 'transform', 'fits.fill_values': 'fill_value'}) }}
        from {{ fits }} as fits
    ),

    fitted_features as (
        select
            model_version,
            {{ feature_of('feature') }} as feature,
            transform,
            max(fill_value) as fill_value,
            bool_or({{ level_of('feature') }} = '{{ missing_level() }}') as has_missing_level
        from fitted_columns
        group by model_version, {{ feature_of('feature') }}, transform
    ),

    models as (
        select
            model_version,
            {{ joined_texts("feature || ' (' || transform || ')'", ', ', 'feature') }} as features,
            {{ joined_texts('case when is_not_filled_in then feature end', ' and ', 'feature') }} as not_filled_in
        from (
            select
                *,
                (fill_value is null and feature in ({{ sql_texts(filled_in) }}))
                or (not has_missing_level and feature in ({{ sql_texts(with_missing_level) }})) as is_not_filled_in
            from fitted_features
        ) as judged
        group by model_version
    ),
    {% else %}
    models as (
        select
            model_version,
            cast(null as string) as features,
            cast(null as string) as not_filled_in
        from int_refit_decision
        where false
    ),
    {% endif %}

    models_of_today as (
        select
            coalesce(
                'ask for one of the models with the features of today, ' || {{ joined_texts('cast(model_version as string)', ', ', 'model_version') }} || ', or ',
                ''
            ) as advice
        from models
        where
            features = {{ features_with_transforms() }}
            and not_filled_in is null
    ),

    unusable as (
        select
            int_refit_decision.model_version,
            coalesce(
                'model ' || case
                    when models.features = {{ features_with_transforms() }}
                        then models.model_version || ' has nothing to fill in for a missing ' || models.not_filled_in
                end,
                'model ' || models.model_version || ' was fitted on ' || models.features || ', and the features of today are '
                || {{ features_with_transforms() }},
                'there is no model ' || int_refit_decision.model_version
            ) as what
        from int_refit_decision
        left join models on int_refit_decision.model_version = models.model_version
        where
            int_refit_decision.reason is null
            and int_refit_decision.obstacle is null
            and (models.features is distinct from {{ features_with_transforms() }} or models.not_filled_in is not null)
    )

    select
        'dbt_project.yml, vars, {{ segmentation_block() }}: '
        {% if settings.model_version %}
        || 'model_version: ' || unusable.what || '; ' || models_of_today.advice || 'take model_version out.' as sentence
        {% else %}
        || 'refit: never: ' || unusable.what || '; fit anew with --vars ''{refit: true}'', or put the features of the model back.' as sentence
        {% endif %}
    from unusable
    cross join models_of_today
{% endset %}
{{ sentences_reported(query, 'error') }}
