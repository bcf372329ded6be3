{{ config(enabled=has_customers(), materialized='view') }}
{%- set settings = segmentation() -%}
{%- set key = settings.key.name %}
{%- set described_by = (settings.attributes + settings.features) | map(attribute='name') %}
with

customer_clusters as (
    select * from {{ ref('customer_clusters').include(database=false) }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names').include(database=false) }}
),

int_segments as (
    select * from {{ ref('int_segments').include(database=false) }}
),

final as (
    select
        customer_clusters.{{ key }},
        cast(customer_clusters.segment_id as integer) as segment_id,
        int_segment_names.segment_name,
        customer_clusters.distance,
        cast(nullif(customer_clusters.runner_up_segment_id, 0) as integer) as runner_up_segment_id,
        case when customer_clusters.runner_up_segment_id > 0 then customer_clusters.runner_up_distance end as runner_up_distance,
        case
            when customer_clusters.runner_up_segment_id > 0
                then 1 - customer_clusters.distance / nullif(customer_clusters.runner_up_distance, 0)
        end as confidence,
        customer_clusters.distance > int_segments.furthest_usual_distance as is_outlier,
        false
        {% for feature in settings.features if feature.missing == 'median' %}
        or customer_clusters.{{ feature.name }} is null
        {% endfor %}
            as has_imputed_features,
        cast(customer_clusters.model_version as integer) as model_version,
        customer_clusters.previous_segment_id,
        customer_clusters.changed_at,
        customer_clusters.{{ described_by | join(',\n        customer_clusters.') }}
    from customer_clusters
    inner join int_segment_names on customer_clusters.segment_id = int_segment_names.segment_id
    inner join int_segments on customer_clusters.segment_id = int_segments.segment_id
)

select * from final
