-- Asserts: the customers with a record are those of customer_segments, and those with orders are those of rfm_scores. Whoever counts customers relies on it.
{%- set key = segmentation().key.name %}
with

customers_360 as (
    select * from {{ ref('customers_360') }}
),

expected as (
    select
        {{ key }},
        'record' as found_in
    from {{ ref('customer_segments') }}
    union all
    select
        {{ key }},
        'orders' as found_in
    from {{ ref('rfm_scores') }}
),

found as (
    select
        {{ key }},
        'record' as found_in
    from customers_360
    where has_customer_record
    union all
    select
        {{ key }},
        'orders' as found_in
    from customers_360
    where has_orders
),

lost as (
    select * from expected
    except all
    select * from found
),

invented as (
    select * from found
    except all
    select * from expected
),

final as (
    select
        {{ key }},
        found_in
    from lost
    union all
    select
        {{ key }},
        found_in
    from invented
)

select * from final
