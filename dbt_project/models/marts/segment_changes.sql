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

final as (
    select
        coalesce(customer_clusters.{{ key.name }}, int_previous_segments.{{ key.name }}) as {{ key.name }},
        case
            when int_previous_segments.{{ key.name }} is null then 'joined'
            when customer_clusters.{{ key.name }} is null then 'left'
            else 'moved'
        end as change,
        int_previous_segments.segment_id as from_segment_id,
        int_previous_segments.name_at_change as from_segment_name,
        int_previous_segments.model_version_at_change as from_model_version,
        int_previous_segments.changed_at as from_changed_at,
        cast(customer_clusters.segment_id as integer) as to_segment_id,
        customer_clusters.name_at_change as to_segment_name,
        customer_clusters.model_version_at_change as to_model_version,
        {{ build_columns() }}
    from int_previous_segments
    full outer join customer_clusters on int_previous_segments.{{ key.name }} = customer_clusters.{{ key.name }}
    where int_previous_segments.segment_id is distinct from customer_clusters.segment_id{{ ' and false' if key.is_row_number }}
)

select * from final
