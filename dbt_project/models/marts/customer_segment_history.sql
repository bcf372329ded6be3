{{ config(enabled=has_customers(), materialized='view') }}
{%- set key = segmentation().key.name %}
with

segment_changes as (
    select * from {{ ref('segment_changes').include(database=false) }}
    where {{ rows_that_count('segment_changes') }}
),

customer_clusters as (
    select * from {{ ref('customer_clusters').include(database=false) }}
),

-- Each change closes a period, but for that of who joins; the present ones stand beside the labels.
periods as (
    select
        {{ key }},
        from_segment_id as segment_id,
        from_segment_name as segment_name,
        from_model_version as model_version,
        from_changed_at as valid_from,
        built_at as valid_to
    from segment_changes
    where from_segment_id is not null
    union all
    select
        {{ key }},
        cast(segment_id as integer) as segment_id,
        name_at_change as segment_name,
        model_version_at_change as model_version,
        changed_at as valid_from,
        cast(null as timestamp) as valid_to
    from customer_clusters
),

final as (
    select
        {{ key }},
        segment_id,
        segment_name,
        model_version,
        valid_from as built_at,
        md5(cast({{ key }} as string) || '|' || cast(valid_from as string)) as dbt_scd_id,
        valid_from as dbt_updated_at,
        valid_from as dbt_valid_from,
        valid_to as dbt_valid_to
    from periods
)

select * from final
