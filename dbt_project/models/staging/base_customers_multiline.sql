with

-- Read anew by each step below, which spares a copy of every line.
base_customers as not materialized (
    select
        rowid as row_id,
        *
    from {{ ref('base_customers') }}
),

{{ multiline_records('base_customers', segmentation()) }}

select * from final
