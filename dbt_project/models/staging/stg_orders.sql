{%- set key = segmentation().key -%}
-- A stand-in for the reading of order files: it takes the sample as it is, and what cannot be cast is left out.
with

lines as (
    select *
    from read_csv(
        'dbt_project/sample/orders.csv', all_varchar = true, header = true, delim = ',', quote = '', null_padding = true, ignore_errors = true
    )
),

typed as (
    select
        try_cast(customer_id as {{ key.data_type }}) as {{ key.name }},
        order_id,
        try_cast(order_date as timestamp) as ordered_at,
        try_cast(amount as double) as amount
    from lines
),

final as (
    select
        {{ key.name }},
        order_id,
        ordered_at,
        amount,
        cast(null as double) as quantity,
        cast(null as varchar) as product,
        amount < 0 as is_return
    from typed
    where
        {{ key.name }} is not null
        and ordered_at < timestamp '2026-01-01'
        and isfinite(amount)
)

select * from final
