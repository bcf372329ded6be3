-- Asserts: records below the headers = accepted + rejected. Whoever reports on customers relies on it; a join or filter in
-- staging that lost a row would otherwise go unseen.
with

-- Read anew by each step below, which spares a copy of every line.
base_customer_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_customer_lines') }}
),

{{ records_unaccounted_for(
    'base_customer_lines', ref('base_customer_multiline_records'), ref('stg_customers'), ref('rejected_customers'), source_layouts(segmentation())
) }}

select * from final
