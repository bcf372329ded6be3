{{ config(enabled=has_orders()) }}
-- Asserts: records below the headers = accepted + rejected. Every sum of the orders relies on it; a join or filter in
-- staging that lost a line would otherwise go unseen.
with

base_order_lines as (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_order_lines') }}
),

{{ records_unaccounted_for(
    'base_order_lines', ref('base_order_multiline_records'), ref('stg_orders'), ref('rejected_orders'), orders().source
) }}

select * from final
