{{ config(enabled=has_customers() and has_orders()) }}
{%- set key, value = segmentation().key.name, 'monetary_value' if orders().has_amounts else 'frequency' -%}
with

segment_changes as (
    select * from {{ ref('segment_changes') }}
    where {{ rows_that_count('segment_changes') }}
),

segment_migrations as (
    select * from {{ ref('segment_migrations') }}
    where {{ rows_that_count('segment_migrations') }}
),

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names') }}
),

rfm_scores as (
    select * from {{ ref('rfm_scores') }}
),

-- Who was valuable by the last build: who stops buying is not valuable any more.
valuable_before as (
    select * from {{ valuable_before() }} as scores
),

builds as (
    select
        built_at,
        max(model_version) as model_version,
        row_number() over (order by built_at desc) as place
    from segment_migrations
    group by built_at
),

last_builds as (
    select
        max(case when place = 1 then built_at end) as built_at,
        max(case when place = 1 then model_version end) as model_version,
        max(case when place = 2 then model_version end) as last_model_version
    from builds
),

-- Who has never ordered is worth 0.
worths as (
    select
        customer_clusters.segment_id,
        avg(coalesce(rfm_scores.{{ value }}, 0)) as mean_value
    from customer_clusters
    left join rfm_scores on customer_clusters.{{ key }} = rfm_scores.{{ key }}
    group by customer_clusters.segment_id
),

-- Today's customer under the model of the last build tells who changed, as in segment_migrations.
movers as (
    select
        segment_changes.{{ key }},
        segment_changes.change,
        segment_changes.from_segment_id,
        segment_changes.from_segment_name,
        segment_changes.to_segment_id,
        segment_changes.built_at,
        segment_changes.change = 'left'
        or segment_changes.from_segment_id <> coalesce(
            case
                when last_builds.model_version = last_builds.last_model_version then segment_changes.to_segment_id
                else nullif(customer_clusters.previous_model_segment_id, 0)
            end,
            segment_changes.from_segment_id
        ) as customer_changed
    from segment_changes
    inner join last_builds on segment_changes.built_at = last_builds.built_at
    left join customer_clusters on segment_changes.{{ key }} = customer_clusters.{{ key }}
    where segment_changes.change in ('moved', 'left')
),

final as (
    select
        movers.{{ key }},
        movers.change,
        movers.from_segment_id,
        coalesce(from_names.segment_name, movers.from_segment_name) as from_segment_name,
        movers.to_segment_id,
        coalesce(to_names.segment_name, '(left)') as to_segment_name,
        movers.customer_changed,
        valuable_before.monetary_value as from_monetary_value,
        valuable_before.frequency as from_frequency,
        rfm_scores.monetary_value,
        rfm_scores.frequency,
        rfm_scores.recency_days,
        from_worths.mean_value as from_mean_value,
        to_worths.mean_value as to_mean_value,
        movers.built_at
    from movers
    inner join valuable_before on movers.{{ key }} = valuable_before.{{ key }}
    left join rfm_scores on movers.{{ key }} = rfm_scores.{{ key }}
    left join worths as from_worths on movers.from_segment_id = from_worths.segment_id
    left join worths as to_worths on movers.to_segment_id = to_worths.segment_id
    left join int_segment_names as from_names on movers.from_segment_id = from_names.segment_id
    left join int_segment_names as to_names on movers.to_segment_id = to_names.segment_id
    -- A segment that nobody is in any more is worth nothing that could be compared.
    where coalesce(to_worths.mean_value < from_worths.mean_value, movers.change = 'left')
)

select * from final
