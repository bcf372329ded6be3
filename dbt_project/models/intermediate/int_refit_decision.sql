{%- set settings = segmentation() -%}
{%- set registry = as_left_by_last_build('segmentation_fits') -%}
{%- set migrations = as_left_by_last_build('segment_migrations') -%}
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

latest as (
    {% if registry %}
    select
        max(model_version) as model_version,
        max_by(configuration, model_version) as configuration
    from {{ registry }}
    {% else %}
    select
        null::bigint as model_version,
        null::varchar as configuration
    {% endif %}
),

drift as (
    select
        max(psi) as psi,
        max_by(feature, psi) as feature
    from int_feature_drift
),

training_data as (
    select
        -- Of the features alone and in any order of the rows: the same customers under other ids train the same model.
        bit_xor(md5_number(concat_ws('|', {{ settings.features | map(attribute='name') | join(', ') }}, n_customers)))::varchar as fingerprint
    from int_training_rows
),

last_build as (
    {% if migrations %}
    select max_by(model_version, built_at) as model_version from {{ migrations }}
    {% else %}
    select null::integer as model_version
    {% endif %}
),

final as (
    select
        coalesce(latest.model_version, 0) as latest_version,
        last_build.model_version as last_build_version,
        int_feature_medians.n_customers,
        {{ sql_texts([model_configuration()]) }} as configuration,
        training_data.fingerprint,
        case
            when latest.model_version is null then 'the first model'
            {% if settings.refit == true %}
            when true then 'asked for'
            {% elif settings.refit != 'never' %}
            when latest.configuration <> {{ sql_texts([model_configuration()]) }} then 'the configuration changed'
            {% if settings.refit == 'always' %}
            when true then 'every build fits anew'
            {% else %}
            when drift.psi >= {{ settings.gates.drift.bound }}
                then drift.feature || ' drifted: its stability index of ' || round(drift.psi, 3) || ' reached {{ settings.gates.drift.bound }}'
            {% endif %}
            {% endif %}
        end as reason
    from latest
    cross join drift
    cross join training_data
    cross join last_build
    cross join int_feature_medians
)

select * from final
