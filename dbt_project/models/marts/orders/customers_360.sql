{{ config(enabled=has_customers() and has_orders()) }}
{%- set settings = segmentation() -%}
{%- set key = settings.key.name %}
{%- set described_by = (settings.attributes + settings.features) | map(attribute='name') %}
with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

rfm_customer_segments as (
    select * from {{ ref('rfm_customer_segments') }}
),

rfm_scores as (
    select * from {{ ref('rfm_scores') }}
),

final as (
    select
        coalesce(customer_segments.{{ key }}, rfm_scores.{{ key }}) as {{ key }},
        customer_segments.{{ key }} is not null as has_customer_record,
        rfm_scores.{{ key }} is not null as has_orders,
        customer_segments.segment_id,
        customer_segments.segment_name,
        customer_segments.confidence,
        rfm_customer_segments.segment_id as rfm_segment_id,
        rfm_customer_segments.segment_name as rfm_segment_name,
        rfm_customer_segments.confidence as rfm_confidence,
        rfm_scores.rfm_class,
        rfm_scores.rfm_code,
        rfm_scores.recency_days,
        rfm_scores.frequency,
        rfm_scores.monetary_value,
        customer_segments.{{ described_by | join(',\n        customer_segments.') }}
    from customer_segments
    full outer join rfm_scores on customer_segments.{{ key }} = rfm_scores.{{ key }}
    left join rfm_customer_segments on rfm_scores.{{ key }} = rfm_customer_segments.{{ key }}
)

select * from final
order by {{ key }}
