{{ config(enabled=has_orders()) }}
-- Asserts: what the customers bought and returned is what the orders say, all lines counted once. Every value in the marts of the orders relies on it.
{%- set last_day = fixed_reference_date() %}
with

customer_order_features as (
    select coalesce(sum(bought_value), 0) - coalesce(sum(returned_value), 0) as net_value
    from {{ ref('customer_order_features') }}
),

stg_orders as (
    select
        coalesce(sum({{ exact_amount('amount') }}), 0) - coalesce(sum({{ exact_amount('refunded_amount') }}), 0) as net_value,
        coalesce(sum(abs({{ exact_amount('amount') }})), 0) as moved_value
    from {{ ref('stg_orders') }}
    {%- if last_day %}
    where cast(ordered_at as date) <= cast('{{ last_day }}' as date)
    {%- endif %}
),

final as (
    select
        customer_order_features.net_value,
        stg_orders.net_value as net_value_of_the_orders
    from customer_order_features
    cross join stg_orders
    -- Ten million sums, added as doubles, are rounded by less than this.
    where abs(customer_order_features.net_value - stg_orders.net_value) > 1e-9 * stg_orders.moved_value
)

select * from final
