{%- set registry = as_left_by_last_build('segmentation_fits') -%}
-- Asserts: where no new model is fitted, every feature of the one that is there is still configured. Scoring relies on it.
with

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

models as (
    {% if registry %}
    select
        model_version,
        [pair[1] || ' (' || pair[2] || ')' for pair in list_zip(features, transforms)] as features
    from {{ registry }}
    {% else %}
    select
        cast(null as bigint) as model_version,
        cast(null as varchar[]) as features
    where false
    {% endif %}
),

needed as (
    select
        models.model_version,
        unnest(models.features) as feature
    from int_refit_decision
    inner join models on int_refit_decision.latest_version = models.model_version
    where int_refit_decision.reason is null
),

missing as (
    select
        model_version,
        string_agg(feature, ' and ' order by feature) as features
    from needed
    where feature not in ({{ features_with_transforms() }})
    group by model_version
)

select model_version
from missing
where
    error(
        'Model ' || model_version || ' was fitted on ' || features || ', which the configuration no longer has, and refit is never: '
        || 'fit anew with --vars ''{refit: true}'', or put the feature back in dbt_project.yml.'
    ) is not null
