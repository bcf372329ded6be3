{{ config(enabled=has_orders()) }}
-- Asserts: records below the headers = accepted + rejected. Every sum of the orders relies on it; a join or filter in
-- staging that lost a line would otherwise go unseen.
{{ records_unaccounted_for(
    ref('base_orders'), ref('base_order_files'), ref('base_orders_multiline'), ref('stg_orders'), ref('rejected_orders')
) }}

select * from final
