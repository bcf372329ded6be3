{{ config(enabled=has_orders()) }}
-- Asserts: records below the headers = accepted + rejected. Every sum of the orders relies on it; a join or filter in
-- staging that lost a line would otherwise go unseen.
with

-- Read anew by each step below, which spares a copy of every line.
base_order_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_order_lines') }}
),

{{ records_unaccounted_for(
    'base_order_lines', ref('base_order_multiline_records'), ref('stg_orders'), ref('rejected_orders'), source_layouts(orders())
) }}

select * from final
