{{ config(enabled=has_customers(), materialized='view') }}
{%- set settings = segmentation() -%}
-- All that is known of a customer before the label, so that the labels are written beside it in one pass and nothing is joined behind them.
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

int_previous_segments as (
    select * from {{ ref('int_previous_segments') }}
),

final as (
    select
        stg_customers.{{ ([settings.key] + settings.attributes + settings.features) | map(attribute='name') | join(',\n        stg_customers.') }},
        int_previous_segments.segment_id as last_segment_id,
        int_previous_segments.previous_segment_id as _last_previous_segment_id,
        int_previous_segments.changed_at as _last_changed_at,
        int_previous_segments.name_at_change as _last_name_at_change,
        int_previous_segments.model_version_at_change as _last_model_version_at_change
    from stg_customers
    left join int_previous_segments on stg_customers.{{ settings.key.name }} = int_previous_segments.{{ settings.key.name }}
)

select * from final
