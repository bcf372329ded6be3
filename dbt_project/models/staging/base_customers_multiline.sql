with

base_customers as (
    select
        rowid as row_id,
        *
    from {{ ref('base_customers') }}
),

{{ multiline_records('base_customers', segmentation()) }}

select * from final
