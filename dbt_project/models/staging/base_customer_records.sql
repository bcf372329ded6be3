{{ config(
    enabled=has_customers(), materialized='view', post_hook="{{ require_one_reading(ref('base_customer_lines'), this, segmentation()) }}"
) }}
with

-- Read anew by each step below, which spares a copy of every line.
base_customer_lines as {{ without_a_copy() }} (
    select
        rowid as row_id,
        *
    from {{ ref('base_customer_lines') }}
),

base_customer_multiline_records as (
    select * from {{ ref('base_customer_multiline_records') }}
),

{{ records_below_headers('base_customer_lines', 'base_customer_multiline_records', segmentation()) }}

select * from final
