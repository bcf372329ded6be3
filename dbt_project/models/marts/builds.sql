{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
-- The row of a build is written after everything else, by the macro publish(), which knows how the gates were passed.
with

int_build as (
    select * from {{ ref('int_build') }}
),

final as (
    select
        build_id,
        built_at,
        source_file,
        n_rows,
        n_accepted,
        n_rejected,
        n_order_lines_accepted,
        n_order_lines_rejected,
        n_segments,
        model_version,
        cast(null as string) as gates,
        cast(null as integer) as n_warnings,
        code_version,
        dbt_version,
        duckdb_version,
        cast(null as integer) as build_number,
        cast(null as integer) as restored_build_number,
        cast(null as integer) as n_customers_erased,
        cast(null as string) as not_segmented,
        n_order_lines_left_out,
        engine,
        orders_source_file
    from int_build
    where false
)

select * from final
