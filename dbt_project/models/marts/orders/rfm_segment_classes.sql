{{ config(enabled=has_orders()) }}
{%- set key = segmentation().key.name -%}
with

rfm_customer_segments as (
    select * from {{ ref('rfm_customer_segments') }}
),

rfm_scores as (
    select * from {{ ref('rfm_scores') }}
),

counts as (
    select
        rfm_customer_segments.segment_id,
        rfm_customer_segments.segment_name,
        rfm_scores.rfm_class,
        count(*) as n_customers
    from rfm_customer_segments
    inner join rfm_scores on rfm_customer_segments.{{ key }} = rfm_scores.{{ key }}
    group by all
),

final as (
    select
        segment_id,
        segment_name,
        rfm_class,
        n_customers,
        n_customers / sum(n_customers) over (partition by segment_id) as share_of_segment,
        n_customers / sum(n_customers) over (partition by rfm_class) as share_of_class
    from counts
)

select * from final
order by segment_id asc, n_customers desc, rfm_class asc
