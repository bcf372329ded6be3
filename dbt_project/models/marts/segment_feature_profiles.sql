with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

int_segment_centroids as (
    select * from {{ ref('int_segment_centroids') }}
),

features as (
    {{ configured_features() }}
),

statistics as (
    {%- for feature in segmentation().features %}
    select
        segment_id,
        segment_name,
        '{{ feature.name }}' as feature,
        avg({{ feature.name }}) as feature_mean,
        {{ percentiles(feature.name, [0.1, 0.5, 0.9]) }} as feature_percentiles,
        sum(sum({{ feature.name }})) over () / nullif(sum(count({{ feature.name }})) over (), 0) as population_mean
    from customer_segments
    group by segment_id, segment_name
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

final as (
    select
        statistics.segment_id,
        statistics.segment_name,
        statistics.feature,
        features.axis_label as feature_label,
        features.feature_order,
        cast(statistics.feature_mean as double) as feature_mean,
        cast(statistics.feature_percentiles[2] as double) as feature_median,
        cast(statistics.feature_percentiles[1] as double) as feature_p10,
        cast(statistics.feature_percentiles[3] as double) as feature_p90,
        cast(statistics.population_mean as double) as population_mean,
        cast(case
            when statistics.population_mean > 0 then 100 * statistics.feature_mean / statistics.population_mean
        end as double) as feature_index,
        int_segment_centroids.centroid_scaled as mean_scaled
    from statistics
    inner join features on statistics.feature = features.feature
    inner join int_segment_centroids
        on
            statistics.segment_id = int_segment_centroids.segment_id
            and statistics.feature = int_segment_centroids.feature
            and int_segment_centroids.is_current
)

select * from final
order by segment_id, feature_order
