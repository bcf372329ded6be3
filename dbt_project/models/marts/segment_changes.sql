{{ config(enabled=has_customers(), materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{%- set key = segmentation().key -%}
-- A build that a gate has stopped is no history. depends_on: {{ ref('segment_profiles') }}, {{ ref('segmentation_models') }}, {{ ref('feature_diagnostics') }}
with

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

int_previous_segments as (
    select * from {{ ref('int_previous_segments') }}
),

-- Where nobody left, there are no keys to compare.
departures as (
    select count(*) - (select count(customer_clusters.last_segment_id) from customer_clusters) as n_customers
    from int_previous_segments
),

customers_before as (
    select int_previous_segments.*
    from int_previous_segments
    cross join departures
    where departures.n_customers > 0
),

customers_now as (
    select customer_clusters.{{ key.name }}
    from customer_clusters
    cross join departures
    where departures.n_customers > 0
),

changes as (
    select
        customer_clusters.{{ key.name }},
        case when customer_clusters.last_segment_id is null then 'joined' else 'moved' end as change,
        int_previous_segments.segment_id as from_segment_id,
        cast(int_previous_segments.name_at_change as string) as from_segment_name,
        int_previous_segments.model_version_at_change as from_model_version,
        int_previous_segments.changed_at as from_changed_at,
        cast(customer_clusters.segment_id as integer) as to_segment_id,
        cast(customer_clusters.name_at_change as string) as to_segment_name,
        customer_clusters.model_version_at_change as to_model_version
    from customer_clusters
    left join int_previous_segments on customer_clusters.{{ key.name }} = int_previous_segments.{{ key.name }}
    where customer_clusters.last_segment_id is distinct from customer_clusters.segment_id
    union all
    select
        customers_before.{{ key.name }},
        'left' as change,
        customers_before.segment_id as from_segment_id,
        cast(customers_before.name_at_change as string) as from_segment_name,
        customers_before.model_version_at_change as from_model_version,
        customers_before.changed_at as from_changed_at,
        cast(null as integer) as to_segment_id,
        cast(null as string) as to_segment_name,
        cast(null as integer) as to_model_version
    from customers_before
    anti join customers_now on customers_before.{{ key.name }} = customers_now.{{ key.name }}
),

final as (
    select
        *,
        {{ build_columns() }}
    from changes
    {{- ' where false' if key.is_row_number }}
)

select * from final
