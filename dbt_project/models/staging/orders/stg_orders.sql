{{ config(enabled=has_orders(), database=published_database()) }}
{%- set key, has_amounts = segmentation().key.name, orders().has_amounts %}
with

base_order_records as (
    select * from {{ ref('base_order_records') }}
),

priced as (
    select
        {{ key }},
        order_id,
        ordered_at,
        {{ 'coalesce(amount, quantity * unit_price)' if has_amounts else 'cast(null as double)' }} as price,
        has_amount,
        quantity,
        product,
        {% if orders().has_margin %}
        margin,
        {% endif %}
        coalesce(cancelled, false) as is_cancelled,
        {{ 'refunded_amount' if has_amounts else 'cast(null as double) as refunded_amount' }}
    from base_order_records
    where reasons is null
),

signed as (
    select
        *,
        is_cancelled or coalesce({{ 'price' if has_amounts else 'quantity' }} < 0, false) as is_return
    from priced
),

final as (
    select
        {{ key }},
        order_id,
        ordered_at,
        case when has_amount then case when is_cancelled then -abs(price) else price end end as amount,
        {% if orders().has_margin %}
        case when is_cancelled and coalesce(price, 0) >= 0 then -margin else margin end as margin,
        {% endif %}
        quantity,
        product,
        is_return,
        -- What is cancelled or comes back as a line of its own is not refunded once more.
        case when not is_return then refunded_amount end as refunded_amount
    from signed
)

select * from final
