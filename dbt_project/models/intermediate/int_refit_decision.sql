{%- set settings = segmentation() -%}
{%- set fits, builds = left_by_builds('segmentation_fits'), left_by_builds('segment_drift') -%}
-- Whether this build fits a new model, and why; the reason is NULL where customers are scored with the one that is there.
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
    select max_by(builds.model_version, builds.build_number) as model_version
    from {{ builds }} as builds
    {% else %}
    -- Only the models are left of a segmentation that the build which was gone back to did without: their numbers stay taken.
    select cast(null as integer) as model_version
    {% endif %}
),

last_model as (
    select
        coalesce(max(fits.model_version), 0) as highest_version,
        max(last_build.model_version) as model_version,
        max(case when fits.model_version = last_build.model_version then fits.configuration end) as configuration
    from {{ fits }} as fits
    cross join last_build
),
{% else %}
last_model as (
    select
        0 as highest_version,
        cast(null as integer) as model_version,
        cast(null as string) as configuration
),
{% endif %}

drift as (
    select
        max(psi) as psi,
        max_by(feature, psi) as feature
    from int_feature_drift
),

training_data as (
    select
        -- Of the features alone and in any order of the rows: the same customers under other ids train the same model.
        {{ fingerprint(settings.features | map(attribute='name') | join(', ') ~ ', n_customers') }} as fingerprint
    from int_training_rows
),

decision as (
    select
        last_model.highest_version,
        last_model.model_version as last_build_version,
        int_feature_medians.n_customers,
        {{ sql_texts([model_configuration()]) }} as configuration,
        training_data.fingerprint,
        case
            when last_model.model_version is null then 'the first model'
            {% if settings.refit == true %}
            when true then 'asked for'
            {% elif settings.refit != 'never' %}
            when last_model.configuration <> {{ sql_texts([model_configuration()]) }} then 'the configuration changed'
            {% if settings.refit == 'always' %}
            when true then 'every build fits anew'
            {% else %}
            when drift.psi >= {{ settings.gates.drift.bound }}
                then drift.feature || ' drifted: its stability index of ' || round(drift.psi, 3) || ' reached {{ settings.gates.drift.bound }}'
            {% endif %}
            {% endif %}
        end as reason
    from last_model
    cross join drift
    cross join training_data
    cross join int_feature_medians
),

final as (
    select
        {{ build_columns() }},
        case when reason is null then last_build_version else highest_version + 1 end as model_version,
        last_build_version,
        reason,
        configuration,
        fingerprint,
        n_customers
    from decision
)

select * from final
