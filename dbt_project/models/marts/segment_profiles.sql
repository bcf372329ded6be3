{{ config(enabled=has_customers()) }}
with

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

segment_feature_profiles as (
    select * from {{ ref('segment_feature_profiles') }}
),

int_segments as (
    select * from {{ ref('int_segments') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names') }}
),

int_models as (
    select * from {{ ref('int_models') }}
),

stabilities as (
    select
        {{ unnested({'segment_ids': 'segment_id', 'stabilities': 'stability', 'stability_errors': 'stability_error'}) }}
    from int_models
    where is_current
),

sizes as (
    select
        segment_id,
        segment_name,
        count(*) as n_customers,
        count(*) / sum(count(*)) over () as share,
        avg(distance) as mean_distance,
        avg(confidence) as mean_confidence,
        count(*) filter (where is_outlier) as n_outliers
    from customer_segments
    group by segment_id, segment_name
),

{% if segmentation().categories %}
ranked_profiles as (
    select
        *,
        row_number() over (partition by segment_id, {{ feature_of('feature') }} order by feature_mean desc, feature_order asc) as share_rank
    from segment_feature_profiles
),

{% endif %}
statistics as (
    select
        {% for feature in segmentation().numbers %}
        {% for statistic in feature_statistics() %}
        max(feature_{{ statistic }}) filter (where feature = '{{ feature.name }}') as {{ feature.name }}_{{ statistic }},
        {% endfor %}
        {% endfor %}
        {% for feature in segmentation().categories %}
        max({{ level_of('feature') }}) filter (where share_rank = 1 and {{ feature_of('feature') }} = '{{ feature.name }}') as {{ feature.name }}_mode,
        max(feature_mean) filter (where share_rank = 1 and {{ feature_of('feature') }} = '{{ feature.name }}') as {{ feature.name }}_mode_share,
        {% endfor %}
        segment_id
    from {{ 'ranked_profiles' if segmentation().categories else 'segment_feature_profiles' }}
    group by segment_id
),

final as (
    select
        sizes.segment_id,
        sizes.segment_name,
        int_segment_names.is_name_current,
        int_segment_names.current_name,
        int_segments.rule,
        int_segments.rule_coverage,
        int_segments.rule_precision,
        sizes.n_customers,
        sizes.share,
        sizes.mean_distance,
        sizes.mean_confidence,
        sizes.n_outliers,
        nullif(stabilities.stability, cast('nan' as double)) as stability,
        nullif(stabilities.stability_error, cast('nan' as double)) as stability_standard_error
        {%- for feature in segmentation().features %}
        {%- for statistic in statistics_of(feature) %},
        statistics.{{ feature.name }}_{{ statistic }}
        {%- endfor %}
        {%- endfor %}
    from sizes
    inner join statistics on sizes.segment_id = statistics.segment_id
    inner join int_segment_names on sizes.segment_id = int_segment_names.segment_id
    inner join int_segments on sizes.segment_id = int_segments.segment_id
    inner join stabilities on sizes.segment_id = stabilities.segment_id
)

select * from final
order by segment_id
