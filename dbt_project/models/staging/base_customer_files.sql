with

base_customers as (
    select
        rowid as row_id,
        source_file,
        is_blank
    from {{ ref('base_customers') }}
),

{{ beginnings_of_files('base_customers', segmentation().source) }}

select * from final
