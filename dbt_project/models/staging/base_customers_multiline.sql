with

-- What is read of it differs, so it is not kept between.
base_customers as not materialized (
    select
        rowid as row_id,
        *
    from {{ ref('base_customers') }}
),

{{ multiline_records('base_customers', segmentation()) }}

select * from final
