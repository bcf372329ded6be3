{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
-- A build that a gate has stopped is no history. depends_on: {{ ref('segment_profiles') }}, {{ ref('segmentation_models') }}
{%- set key = segmentation().key.name %}
{%- set migrations = as_left_by_last_build('segment_migrations') %}
with

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

int_previous_segments as (
    select * from {{ ref('int_previous_segments') }}
),

last_build as (
    {% if migrations %}
    select max_by(model_version, built_at) as model_version from {{ migrations }}
    {% else %}
    select cast(null as integer) as model_version
    {% endif %}
),

-- Today's customer under the model of the last build stands between the two: up to there the customer changed, from there on the model.
moves as (
    select
        int_previous_segments.segment_id as from_segment_id,
        customer_clusters.segment_id as to_segment_id,
        case
            when customer_clusters.model_version = last_build.model_version then customer_clusters.segment_id
            else nullif(customer_clusters.previous_model_segment_id, 0)
        end as between_segment_id
    from customer_clusters
    full join int_previous_segments on customer_clusters.{{ key }} = int_previous_segments.{{ key }}
    cross join last_build
),

causes as (
    select
        from_segment_id,
        to_segment_id,
        from_segment_id is null or to_segment_id is null or from_segment_id <> coalesce(between_segment_id, from_segment_id)
            as customer_changed,
        from_segment_id is not null and to_segment_id is not null and to_segment_id <> coalesce(between_segment_id, from_segment_id)
            as model_changed
    from moves
),

latest as (
    select max(model_version) as model_version from customer_clusters
),

final as (
    select
        {{ build_columns() }},
        cast(latest.model_version as integer) as model_version,
        cast(causes.from_segment_id as integer) as from_segment_id,
        cast(causes.to_segment_id as integer) as to_segment_id,
        count(*) as n_customers,
        count(*) filter (where causes.customer_changed and not causes.model_changed) as n_customer_changed,
        count(*) filter (where causes.model_changed and not causes.customer_changed) as n_model_changed,
        count(*) filter (where causes.customer_changed and causes.model_changed) as n_both_changed
    from causes
    cross join latest
    group by latest.model_version, causes.from_segment_id, causes.to_segment_id
)

select * from final
order by from_segment_id, to_segment_id
