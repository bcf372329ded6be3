{{ config(enabled=has_customers(), materialized='ephemeral', access='protected') }}
with

members as (
    select
        segment_id as group_id,
        *
    from {{ ref('customer_segments').include(database=false) }}
),

segment_centroids as (
    select * from {{ ref('segment_centroids').include(database=false) }}
    where is_current
),

int_segment_names as (
    select * from {{ ref('int_segment_names').include(database=false) }}
),

{{ compared_groups() }},

final as (
    select
        compared.first_id as first_segment_id,
        first_names.segment_name as first_segment_name,
        compared.second_id as second_segment_id,
        second_names.segment_name as second_segment_name,
        compared.effect_rank,
        compared.feature_label,
        compared.first_n_customers,
        compared.second_n_customers,
        compared.first_mean,
        compared.second_mean,
        compared.effect_size,
        compared.effect_size_lower,
        compared.effect_size_upper,
        compared.overlap
    from compared
    inner join int_segment_names as first_names on compared.first_id = first_names.segment_id
    inner join int_segment_names as second_names on compared.second_id = second_names.segment_id
)

select * from final
