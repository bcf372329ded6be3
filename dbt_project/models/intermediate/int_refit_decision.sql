{{ config(enabled=has_customers()) }}
{%- set settings = segmentation() -%}
{%- set fits, builds = left_by_builds('segmentation_fits'), left_by_builds('segment_drift') -%}
-- Whether this build fits a new model, and why; the reason is NULL where customers are scored with the one that is there, and where there is an obstacle to
-- any segments, which only a segmentation from orders goes on with.
with

int_feature_drift as (
    select * from {{ ref('int_feature_drift') }}
),

int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

{% if fits %}
last_build as (
    {% if builds %}
    select
        max_by(builds.model_version, builds.build_number) as last_build_version,
        {{ unpinned_version('builds') }} as unpinned_version,
        {{ version_to_go_on_with('builds') }} as present_version
    from {{ builds }} as builds
    {% else %}
    -- Only the models are left of a segmentation that the build which was gone back to did without: their numbers stay taken.
    select
        cast(null as integer) as last_build_version,
        cast(null as integer) as unpinned_version,
        cast(null as integer) as present_version
    {% endif %}
),

earlier_models as (
    select
        coalesce(max(fits.model_version), 0) as highest_version,
        {{ joined_texts('fits.build_id', ', ', 'fits.model_version') }} as fitting_builds,
        max(last_build.last_build_version) as last_build_version,
        max(last_build.unpinned_version) as unpinned_version,
        max(last_build.present_version) as present_version,
        max(case when fits.model_version = last_build.present_version then fits.configuration end) as configuration
    from {{ fits }} as fits
    cross join last_build
),
{% else %}
earlier_models as (
    select
        0 as highest_version,
        cast(null as string) as fitting_builds,
        cast(null as integer) as last_build_version,
        cast(null as integer) as unpinned_version,
        cast({{ settings.model_version or 'null' }} as integer) as present_version,
        cast(null as string) as configuration
),
{% endif %}

drift as (
    select
        max(psi) filter (where psi > psi_by_chance) as psi,
        max_by(feature, psi) filter (where psi > psi_by_chance) as feature,
        max(joint_drift) filter (where joint_drift > joint_drift_by_chance) as joint_drift
    from int_feature_drift
),

training_data as (
    select
        -- Of the features alone and in any order of the rows: the same customers under other ids train the same model.
        {{ fingerprint(settings.features | map(attribute='name') | join(', ') ~ ', n_customers') }} as fingerprint
    from int_training_rows
),

obstacles as (
    {% if settings.is_dispensable %}
    select max(sentence) as obstacle
    from {{ clustering_problem(ref('int_training_rows'), ref('int_feature_medians')) }} as problem
    {% else %}
    select cast(null as string) as obstacle
    {% endif %}
),

decision as (
    select
        obstacles.obstacle,
        earlier_models.highest_version,
        earlier_models.fitting_builds,
        earlier_models.last_build_version,
        earlier_models.unpinned_version,
        earlier_models.present_version,
        int_feature_medians.n_customers,
        {{ sql_texts([model_configuration()]) }} as configuration,
        training_data.fingerprint,
        case
            when obstacles.obstacle is not null or {{ settings.model_version or 'null' }} is not null then null
            when earlier_models.present_version is null then 'the first model'
            {% if settings.refit == true %}
            when true then 'asked for'
            {% elif settings.refit != 'never' %}
            when earlier_models.configuration <> {{ sql_texts([model_configuration()]) }} then 'the configuration changed'
            {% if settings.refit == 'always' %}
            when true then 'every build fits anew'
            {% else %}
            when drift.psi >= {{ settings.gates.drift.bound }}
                then drift.feature || ' drifted: its stability index of ' || {{ rounded('drift.psi', 3) }} || ' reached {{ settings.gates.drift.bound }}'
            when drift.joint_drift >= {{ settings.gates.joint_drift.bound }}
                then
                    'the features no longer go together as they did: their joint drift of ' || {{ rounded('drift.joint_drift', 3) }}
                    || ' reached {{ settings.gates.joint_drift.bound }}'
            {% endif %}
            {% endif %}
        end as reason
    from earlier_models
    cross join drift
    cross join training_data
    cross join int_feature_medians
    cross join obstacles
),

final as (
    select
        {{ build_columns() }},
        case
            when reason is not null then highest_version + 1
            when obstacle is null then present_version
        end as model_version,
        case when reason is null then unpinned_version else highest_version + 1 end as unpinned_model_version,
        last_build_version,
        fitting_builds,
        reason,
        configuration,
        fingerprint,
        n_customers,
        obstacle
    from decision
)

select * from final
