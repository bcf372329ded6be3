{{ config(enabled=has_orders()) }}
-- Asserts: somebody has ordered by the reference date. The scores and the segments from orders rely on it: of nobody there are none.
{% set query %}
    with

    int_customer_rfm as (
        select count(*) as n_customers from {{ ref('int_customer_rfm') }}
    ),

    stg_orders as (
        select cast(min(ordered_at) as date) as first_day from {{ ref('stg_orders') }}
    )

    select
        coalesce(
            'The first order is of ' || stg_orders.first_day || ', after the reference date; give a later reference_date, or none.',
            'No order can be used; rejected_orders says why.'
        ) as sentence
    from int_customer_rfm
    cross join stg_orders
    where int_customer_rfm.n_customers = 0
{% endset %}
{{ sentences_reported(query, 'error') }}
