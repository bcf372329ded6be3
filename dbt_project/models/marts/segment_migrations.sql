{{ config(enabled=has_customers(), materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
-- A build that a gate has stopped is no history. depends_on: {{ ref('segment_profiles') }}, {{ ref('segmentation_models') }}, {{ ref('feature_diagnostics') }}
with

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

int_previous_segments as (
    select * from {{ ref('int_previous_segments') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

-- Today's customer under the model of the last build stands between the two: up to there the customer changed, from there on the model.
arrivals as (
    select
        customer_clusters.last_segment_id as from_segment_id,
        customer_clusters.segment_id as to_segment_id,
        case
            when customer_clusters.model_version = int_refit_decision.last_build_version then customer_clusters.segment_id
            else nullif(customer_clusters.previous_model_segment_id, 0)
        end as between_segment_id,
        count(*) as n_customers
    from customer_clusters
    cross join int_refit_decision
    group by all
),

followed as (
    select
        from_segment_id,
        sum(n_customers) as n_customers
    from arrivals
    group by from_segment_id
),

previous_sizes as (
    select
        segment_id,
        count(*) as n_customers
    from int_previous_segments
    group by segment_id
),

departures as (
    select
        previous_sizes.segment_id as from_segment_id,
        null as to_segment_id,
        null as between_segment_id,
        previous_sizes.n_customers - coalesce(followed.n_customers, 0) as n_customers
    from previous_sizes
    left join followed on previous_sizes.segment_id = followed.from_segment_id
    where previous_sizes.n_customers > coalesce(followed.n_customers, 0)
),

moves as (
    select * from arrivals
    union all
    select * from departures
),

causes as (
    select
        from_segment_id,
        to_segment_id,
        n_customers,
        from_segment_id is null or to_segment_id is null or from_segment_id <> coalesce(between_segment_id, from_segment_id)
            as customer_changed,
        from_segment_id is not null and to_segment_id is not null and to_segment_id <> coalesce(between_segment_id, from_segment_id)
            as model_changed
    from moves
),

final as (
    select
        {{ build_columns() }},
        cast(int_refit_decision.model_version as integer) as model_version,
        cast(causes.from_segment_id as integer) as from_segment_id,
        cast(causes.to_segment_id as integer) as to_segment_id,
        cast(sum(causes.n_customers) as bigint) as n_customers,
        cast(sum(case when causes.customer_changed and not causes.model_changed then causes.n_customers else 0 end) as bigint) as n_customer_changed,
        cast(sum(case when causes.model_changed and not causes.customer_changed then causes.n_customers else 0 end) as bigint) as n_model_changed,
        cast(sum(case when causes.customer_changed and causes.model_changed then causes.n_customers else 0 end) as bigint) as n_both_changed
    from causes
    cross join int_refit_decision
    group by int_refit_decision.model_version, causes.from_segment_id, causes.to_segment_id
)

select * from final
order by from_segment_id, to_segment_id
