{{ config(enabled=has_customers()) }}
{%- set numbers, categories = segmentation().numbers, segmentation().categories -%}
{%- set booleans = categories | selectattr('data_type', 'equalto', 'boolean') | map(attribute='name') | list -%}
{#- Of a level, the deviation is that of a yes or no. A level that nobody had at the fit deviates by nothing. -#}
{%- set share = as_share('segment_centroids.mean') -%}
{%- set share_in_deviations =
    'coalesce((segment_centroids.centroid - segment_centroids.mean) / nullif(sqrt(' ~ share ~ ' * (1 - ' ~ share ~ ')), 0), 0)' -%}
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

-- Read anew by each step below, which spares a copy of every customer.
customer_segments as {{ without_a_copy() }} (
    select * from {{ ref('customer_segments') }}
),

segment_centroids as (
    select * from {{ ref('segment_centroids') }}
),

features as (
    {{ configured_features() }}
),
{% if categories %}

-- Of a category the share of each level; one that the model has no column for is among the others.
levels as (
    select distinct
        feature,
        feature_order,
        {{ feature_of('feature') }} as category,
        {{ level_of('feature') }} as level
    from segment_centroids
    where is_current and transform = 'category'
),

values_of_categories as (
    {%- for feature in categories %}
    select
        segment_id,
        segment_name,
        '{{ feature.name }}' as category,
        {{ level_in(feature.name) }} as level,
        count(*) as n_customers
    from customer_segments
    group by segment_id, segment_name, {{ level_in(feature.name) }}
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

level_counts as (
    select
        values_of_categories.segment_id,
        values_of_categories.category,
        coalesce(levels.level, '{{ other_level() }}') as level,
        sum(values_of_categories.n_customers) as n_customers
    from values_of_categories
    left join levels on values_of_categories.category = levels.category and values_of_categories.level = levels.level
    group by values_of_categories.segment_id, values_of_categories.category, coalesce(levels.level, '{{ other_level() }}')
),

sizes as (
    select
        segment_id,
        segment_name,
        category,
        sum(n_customers) as n_customers
    from values_of_categories
    group by segment_id, segment_name, category
),

level_shares as (
    select
        sizes.segment_id,
        sizes.segment_name,
        levels.feature,
        levels.feature_order,
        levels.category,
        levels.level,
        coalesce(level_counts.n_customers, 0) / sizes.n_customers as share,
        sum(coalesce(level_counts.n_customers, 0)) over (partition by levels.feature)
        / sum(sizes.n_customers) over (partition by levels.feature) as population_share
    from sizes
    inner join levels on sizes.category = levels.category
    left join level_counts
        on
            sizes.segment_id = level_counts.segment_id
            and levels.category = level_counts.category
            and levels.level = level_counts.level
),
{% endif %}
{% if numbers %}

-- A place near the values of each feature, and no further from 0 than they: sums of the differences from it lose nothing to large values that differ little.
origins as (
    select
        {% for feature in numbers %}
        min_by(centroid_in_own_unit, abs(centroid_in_own_unit)) filter (where feature = '{{ feature.name }}') as {{ feature.name }},
        {% endfor %}
        count(*) as n_centroids
    from segment_centroids
    where is_current
),

-- One scan of the customers for all features. DuckDB takes six times as long for powers as for products.
sums as (
    select
        {% for feature in numbers %}
        {% set difference = '(customer_segments.' ~ feature.name ~ ' - origins.' ~ feature.name ~ ')' %}
        max(origins.{{ feature.name }}) as {{ feature.name }}_origin,
        count({{ difference }}) as {{ feature.name }}_n_customers,
        sum({{ difference }}) as {{ feature.name }}_sum,
        sum({{ difference }} * {{ difference }}) as {{ feature.name }}_sum_of_squares,
        min(customer_segments.{{ feature.name }}) as {{ feature.name }}_min,
        {% endfor %}
        customer_segments.segment_id,
        customer_segments.segment_name
    from customer_segments
    cross join origins
    group by customer_segments.segment_id, customer_segments.segment_name
),

-- A million customers tell a percentile closely enough; of more, the percentiles are those of a sample.
percentiles as (
    select
        {% for feature in numbers %}
        {{ percentile('customer_segments.' ~ feature.name, 0.1) }} as {{ feature.name }}_p10,
        {{ percentile('customer_segments.' ~ feature.name, 0.5) }} as {{ feature.name }}_median,
        {{ percentile('customer_segments.' ~ feature.name, 0.9) }} as {{ feature.name }}_p90,
        {% endfor %}
        customer_segments.segment_id
    from customer_segments
    cross join int_feature_medians
    where {{ is_sampled('customer_segments.' ~ segmentation().key.name, '1000000 / int_feature_medians.n_customers') }}
    group by customer_segments.segment_id
),

-- Added up in the order of the segments, since the last digit of a sum depends on the order.
totals as (
    select
        {% for feature in numbers %}
        sum({{ feature.name }}_n_customers) over all_segments as {{ feature.name }}_population_n_customers,
        sum({{ feature.name }}_sum) over all_segments
        / nullif(sum({{ feature.name }}_n_customers) over all_segments, 0) as {{ feature.name }}_population_difference,
        sum({{ feature.name }}_sum_of_squares) over all_segments as {{ feature.name }}_population_sum_of_squares,
        min({{ feature.name }}_min) over all_segments as {{ feature.name }}_population_min,
        {% endfor %}
        *
    from sums
    window all_segments as (order by segment_id rows between unbounded preceding and unbounded following)
),

statistics as (
    {%- for feature in numbers %}
    select
        totals.segment_id,
        totals.segment_name,
        '{{ feature.name }}' as feature,
        totals.{{ feature.name }}_origin + totals.{{ feature.name }}_sum / nullif(totals.{{ feature.name }}_n_customers, 0) as feature_mean,
        percentiles.{{ feature.name }}_p10 as feature_p10,
        percentiles.{{ feature.name }}_median as feature_median,
        percentiles.{{ feature.name }}_p90 as feature_p90,
        totals.{{ feature.name }}_origin + totals.{{ feature.name }}_population_difference as population_mean,
        -- A ratio to the mean means something where no value is negative and the mean is clearly above 0, by two standard errors: 2 * sqrt(variance / n).
        totals.{{ feature.name }}_population_min >= 0
        and totals.{{ feature.name }}_population_n_customers
        * power(totals.{{ feature.name }}_origin + totals.{{ feature.name }}_population_difference, 2)
        > 4 * (
            totals.{{ feature.name }}_population_sum_of_squares / totals.{{ feature.name }}_population_n_customers
            - power(totals.{{ feature.name }}_population_difference, 2)
        ) as has_index
    from totals
    left join percentiles on totals.segment_id = percentiles.segment_id
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

{% endif %}
final as (
    {%- if numbers %}
    select
        statistics.segment_id,
        statistics.segment_name,
        statistics.feature,
        features.axis_label as feature_label,
        {{ 'segment_centroids' if categories else 'features' }}.feature_order,
        cast(statistics.feature_mean as double) as feature_mean,
        cast(statistics.feature_median as double) as feature_median,
        cast(statistics.feature_p10 as double) as feature_p10,
        cast(statistics.feature_p90 as double) as feature_p90,
        cast(statistics.population_mean as double) as population_mean,
        cast(case when statistics.has_index then 100 * statistics.feature_mean / statistics.population_mean end as double) as feature_index,
        -- Half a standard deviation, from which on a name speaks of the feature, is 25 points; 95 in 100 values of a bell curve lie from 0 to 200.
        100 + 50 * {{ centroid_in_deviations() }} as feature_index_scaled,
        {{ centroid_in_deviations() }} as mean_scaled
    from statistics
    inner join features on statistics.feature = features.feature
    inner join segment_centroids
        on
            statistics.segment_id = segment_centroids.segment_id
            and statistics.feature = segment_centroids.feature
            and segment_centroids.is_current
    {%- endif %}
    {{- " union all" if numbers and categories }}
    {%- if categories %}
    select
        level_shares.segment_id,
        level_shares.segment_name,
        level_shares.feature,
        features.axis_label || ': ' || case
            -- Where nothing is a yes or no, the list holds an empty text.
            when level_shares.category not in ({{ sql_texts(booleans) }}) then level_shares.level
            when level_shares.level = 'true' then 'yes'
            when level_shares.level = 'false' then 'no'
            else level_shares.level
        end as feature_label,
        level_shares.feature_order,
        level_shares.share as feature_mean,
        cast(null as double) as feature_median,
        cast(null as double) as feature_p10,
        cast(null as double) as feature_p90,
        level_shares.population_share as population_mean,
        100 * level_shares.share / nullif(level_shares.population_share, 0) as feature_index,
        100 + 50 * {{ share_in_deviations }} as feature_index_scaled,
        {{ share_in_deviations }} as mean_scaled
    from level_shares
    inner join features on level_shares.category = features.feature
    inner join segment_centroids
        on
            level_shares.segment_id = segment_centroids.segment_id
            and level_shares.feature = segment_centroids.feature
            and segment_centroids.is_current
    {%- endif %}
)

select * from final
order by segment_id, feature_order
