{{ config(enabled=has_orders()) }}
{%- set key = segmentation().key.name %}
with

base_order_records as (
    select * from {{ ref('base_order_records') }}
),

priced as (
    select
        {{ key }},
        order_id,
        ordered_at,
        coalesce(amount, quantity * unit_price) as price,
        quantity,
        product,
        coalesce(cancelled, false) as is_cancelled
    from base_order_records
    where reasons is null
),

final as (
    select
        {{ key }},
        order_id,
        ordered_at,
        case when is_cancelled then -abs(price) else price end as amount,
        quantity,
        product,
        is_cancelled or price < 0 as is_return
    from priced
)

select * from final
