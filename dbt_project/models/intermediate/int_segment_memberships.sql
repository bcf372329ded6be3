{{ config(materialized='ephemeral') }}
{%- set key = segmentation().key.name -%}
-- A build that a gate has stopped is no history. depends_on: {{ ref('segment_profiles') }}, {{ ref('segmentation_models') }}
with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

final as (
    select
        {{ key }},
        segment_id,
        segment_name,
        model_version,
        {{ build_time() }} as built_at
    from customer_segments
)

select * from final
