{{ config(enabled=has_orders(), severity='warn') }}
{%- do warn_of_rejected_rows(ref('rejected_orders'), 'select count(*) from ' ~ ref('stg_orders'), orders().source) -%}
-- Asserts: every line of the orders is used. It warns only: a refused row is no mistake of the build, but somebody should look.
with

rejected_orders as (
    select * from {{ ref('rejected_orders') }}
),

final as (
    select reasons
    from rejected_orders
)

select * from final
