{{ config(enabled=has_orders()) }}
-- Asserts: there are as many customers with a record as in customer_segments, and with orders as in rfm_scores. With one row per key, which another test
-- asserts, they are the same customers. Whoever counts customers relies on it.
with

customers_360 as (
    select
        count(*) filter (where has_customer_record) as n_with_record,
        count(*) filter (where has_orders) as n_with_orders
    from {{ ref('customers_360') }}
),

expected as (
    select
        (select count(*) from {{ ref('customer_segments') }}) as n_with_record,
        (select count(*) from {{ ref('rfm_scores') }}) as n_with_orders
),

final as (
    select
        customers_360.n_with_record,
        customers_360.n_with_orders,
        expected.n_with_record as n_expected_with_record,
        expected.n_with_orders as n_expected_with_orders
    from customers_360
    cross join expected
    where
        customers_360.n_with_record <> expected.n_with_record
        or customers_360.n_with_orders <> expected.n_with_orders
)

select * from final
