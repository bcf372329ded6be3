{%- set settings = segmentation() -%}
{%- set key = settings.key.name %}
{%- set described_by = (settings.attributes + settings.features) | map(attribute='name') %}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names') }}
),

int_previous_segments as (
    select * from {{ ref('int_previous_segments') }}
),

-- Tukey's fence (1977): beyond the third quartile by more than one and a half times the distance between the quartiles.
fences as (
    select
        segment_id,
        2.5 * percentile_cont(0.75) within group (order by distance)
        - 1.5 * percentile_cont(0.25) within group (order by distance) as furthest_usual_distance
    from customer_clusters
    group by segment_id
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
        customer_clusters.distance > fences.furthest_usual_distance as is_outlier,
        false
        {% for feature in settings.features if feature.missing == 'median' %}
        or stg_customers.{{ feature.name }} is null
        {% endfor %}
            as has_imputed_features,
        cast(customer_clusters.model_version as integer) as model_version,
        cast(case
            when int_previous_segments.segment_id = customer_clusters.segment_id then int_previous_segments.segment_id_before
            else int_previous_segments.segment_id
        end as integer) as previous_segment_id,
        cast(case
            when int_previous_segments.segment_id = customer_clusters.segment_id then int_previous_segments.changed_at
            else {{ build_time() }}
        end as timestamp) as changed_at,
        stg_customers.{{ described_by | join(',\n        stg_customers.') }}
    from customer_clusters
    inner join stg_customers on customer_clusters.{{ key }} = stg_customers.{{ key }}
    inner join int_segment_names on customer_clusters.segment_id = int_segment_names.segment_id
    inner join fences on customer_clusters.segment_id = fences.segment_id
    left join int_previous_segments on customer_clusters.{{ key }} = int_previous_segments.{{ key }}
)

select * from final
order by {{ key }}
