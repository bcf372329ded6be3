{{ config(enabled=has_orders()) }}
-- Asserts: somebody has ordered by the reference date. The scores and the segments from orders rely on it: of nobody there are none.
{% set query %}
    with

    customer_order_features as (
        select count(*) as n_customers from {{ ref('customer_order_features') }}
    ),

    stg_orders as (
        select cast(min(ordered_at) as date) as first_day from {{ ref('stg_orders') }}
    )

    select
        coalesce(
            'The first order is of ' || stg_orders.first_day || ', after the reference date; give a later reference_date, or none.',
            'No order can be used; rejected_orders says why.'
        ) as sentence
    from customer_order_features
    cross join stg_orders
    where customer_order_features.n_customers = 0
{% endset %}
{{ sentences_reported(query, 'error') }}
