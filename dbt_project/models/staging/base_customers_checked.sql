{{ config(materialized='view') }}
{%- set columns = segmentation().columns | map(attribute='name') | join(',\n        ') -%}
with

base_customers as (
    select
        rowid as row_id,
        *
    from {{ ref('base_customers') }}
),

base_customer_files as (
    select * from {{ ref('base_customer_files') }}
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

-- Lines that are no records: headers, and those that a record of several lines is made of.
other_lines as (
    select header_row_id as row_id
    from base_customer_files
    union all
    select unnest(generate_series(first_row_id, last_row_id)) as row_id
    from base_customers_multiline
),

final as (
    select
        base_customers.row_id,
        base_customers.source_file,
        {{ columns }},
        base_customers.reasons,
        base_customers.raw_record
    from base_customers
    anti join other_lines on base_customers.row_id = other_lines.row_id
    where not base_customers.is_blank
    union all
    select
        first_row_id as row_id,
        source_file,
        {{ columns }},
        reasons,
        raw_record
    from base_customers_multiline
)

select * from final
