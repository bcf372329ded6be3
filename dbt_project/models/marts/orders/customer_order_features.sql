{{ config(enabled=has_orders()) }}
{%- do say_that_there_are_no_amounts() %}
{%- set key = segmentation().key.name %}
{%- set has_amounts = orders().has_amounts -%}
with

-- Read three times, which spares a copy of every line.
stg_orders as {{ without_a_copy() }} (
    select * from {{ ref('stg_orders') }}
    where {{ is_up_to_the_reference_date('ordered_at') }}
),

reference as (
    select {{ reference_date('ordered_at') }} as reference_date
    from stg_orders
),

-- An order is of the day of its first purchase, whatever comes or goes back later under its number; without a number it is all of a day.
orders as (
    select
        {{ key }},
        order_id,
        case when order_id is null then cast(ordered_at as date) end as day_without_order_id,
        min(cast(ordered_at as date)) as first_line_on,
        min(cast(ordered_at as date)) filter (where not is_return) as purchased_on
    from stg_orders
    group by {{ key }}, order_id, day_without_order_id
),

-- Counting rows of rows is cheaper than counting distinct values. Orders of returns alone share the day NULL, which counts as none.
days as (
    select
        {{ key }},
        purchased_on,
        count(purchased_on) as n_orders,
        min(first_line_on) as first_line_on
    from orders
    group by {{ key }}, purchased_on
),

purchases as (
    select
        {{ key }},
        -- Who only returns has bought before the data begin: the first line is the last day on which that can have been.
        coalesce(min(purchased_on), min(first_line_on)) as first_purchase_on,
        coalesce(max(purchased_on), min(first_line_on)) as last_purchase_on,
        sum(n_orders) as n_orders,
        count(purchased_on) as n_purchase_days
    from days
    group by {{ key }}
),

-- Money needs no orders. Added up by itself, it is a sum for each customer, and not first one for each order.
amounts as (
    select
        {{ key }},
        coalesce(sum({{ exact_amount('amount') }}) filter (where not is_return), 0) as bought_value,
        coalesce(sum({{ exact_amount('refunded_amount') }}), 0)
        - coalesce(sum({{ exact_amount('amount') }}) filter (where is_return), 0) as returned_value
    from stg_orders
    group by {{ key }}
),

customers as (
    select
        purchases.{{ key }},
        purchases.first_purchase_on,
        purchases.last_purchase_on,
        purchases.n_orders,
        purchases.n_purchase_days,
        cast(amounts.bought_value as double) as bought_value,
        cast(amounts.returned_value as double) as returned_value,
        cast(amounts.bought_value - amounts.returned_value as double) as net_value
    from purchases
    inner join amounts on purchases.{{ key }} = amounts.{{ key }}
),

final as (
    select
        customers.{{ key }},
        cast({{ days_between('customers.last_purchase_on', 'reference.reference_date') }} as integer) as recency_days,
        cast(customers.n_orders as integer) as frequency,
        {{ 'greatest(customers.net_value, 0)' if has_amounts else 'cast(null as double)' }} as monetary_value,
        cast(greatest(customers.n_purchase_days - 1, 0) as integer) as repeat_frequency,
        cast({{ days_between('customers.first_purchase_on', 'reference.reference_date') }} as integer) as tenure_days,
        {{ 'coalesce(customers.bought_value / nullif(customers.n_orders, 0), 0)' if has_amounts else 'cast(null as double)' }} as average_order_value,
        {{ days_between('customers.first_purchase_on', 'customers.last_purchase_on') }}
        / nullif(greatest(customers.n_purchase_days - 1, 0), 0) as average_gap_days,
        {% if has_amounts %}
        case
            when customers.returned_value < customers.bought_value then customers.returned_value / customers.bought_value
            when customers.returned_value > 0 then 1
            else 0
        end as share_returned,
        customers.bought_value,
        customers.returned_value,
        {% else %}
        {% for column in values_of_orders()[2:] %}
        cast(null as double) as {{ column }},
        {% endfor %}
        {% endif %}
        reference.reference_date
    from customers
    cross join reference
)

select * from final
order by {{ key }}
