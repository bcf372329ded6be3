{{ config(enabled=has_customers(), materialized='ephemeral' if target.type == 'duckdb' else 'table') }}
{%- set features = segmentation().numbers -%}
-- Where the middle half of a number's values lies, and from where on they are far out.
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

int_feature_sample as (
    select * from {{ ref('int_feature_sample') }}
),

powers as (
    select
        feature,
        max(transform_lambda) as power
    from {{ ref('segment_centroids') }}
    where is_current
    group by feature
),

{% if not features %}
final as (
    select * from powers
    where false
)
{% else %}
ordered_values as (
    {%- for feature in features %}
    select
        '{{ feature.name }}' as feature,
        {{ feature.name }} as feature_value
    from int_feature_sample
    where is_ordered and {{ feature.name }} is not null
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

quartiles as (
    select
        feature,
        {{ percentile('feature_value', 0.25) }} as first_quartile,
        {{ percentile('feature_value', 0.5) }} as median,
        {{ percentile('feature_value', 0.75) }} as third_quartile
    from ordered_values
    group by feature
),

value_counts as (
    select
        feature,
        feature_value,
        count(*) as n_customers
    from ordered_values
    group by feature, feature_value
),

largest_counts as (
    select
        feature,
        count(*) as n_values,
        max(n_customers) as n_customers,
        sum(n_customers) as n_known
    from value_counts
    group by feature
),

commonest_values as (
    select
        largest_counts.feature,
        largest_counts.n_values,
        min(value_counts.feature_value) as commonest_value,
        largest_counts.n_customers / largest_counts.n_known as commonest_share
    from largest_counts
    inner join value_counts
        on
            largest_counts.feature = value_counts.feature
            and largest_counts.n_customers = value_counts.n_customers
    group by largest_counts.feature, largest_counts.n_values, largest_counts.n_customers, largest_counts.n_known
),

-- One scan for all features.
extremes as (
    select
        {%- for feature in features %}
        cast(min({{ feature.name }}) as double) as {{ feature.name }}_lowest,
        cast(max({{ feature.name }}) as double) as {{ feature.name }}_highest,
        {%- endfor %}
        count(*) as n_customers
    from stg_customers
),

totals as (
    {%- for feature in features %}
    select
        '{{ feature.name }}' as feature,
        any_value(extremes.n_customers) as n_customers,
        any_value(extremes.{{ feature.name }}_lowest) as lowest,
        any_value(extremes.{{ feature.name }}_highest) as highest,
        count(*) as n_sampled,
        count(int_feature_sample.{{ feature.name }}) as n_known,
        sum(case when int_feature_sample.{{ feature.name }} = 0 then 1 else 0 end) as n_zeros,
        avg(int_feature_sample.{{ feature.name }}) as mean
    from int_feature_sample
    cross join extremes
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

tails as (
    select
        totals.*,
        commonest_values.n_values,
        commonest_values.commonest_value,
        commonest_values.commonest_share,
        powers.power,
        quartiles.first_quartile,
        quartiles.median,
        quartiles.third_quartile,
        case when totals.mean >= quartiles.median then 1 else -1 end as direction,
        -- Below 1 the logarithm of 1 + a value is nearly the value itself.
        totals.mean >= quartiles.median and totals.lowest >= 0 and totals.highest > 1 as is_for_log1p
    from totals
    left join quartiles on totals.feature = quartiles.feature
    left join commonest_values on totals.feature = commonest_values.feature
    left join powers on totals.feature = powers.feature
),

-- Where log1p is of no use the logarithm counts from the end of the shorter tail, as far as the mean is from it.
logarithms as (
    select
        *,
        case when is_for_log1p then 0 when direction = 1 then lowest else highest end as origin,
        case when is_for_log1p then 1 when direction = 1 then nullif(mean - lowest, 0) else nullif(highest - mean, 0) end as unit
    from tails
),

scales as (
    select
        *,
        {{ on_second_scale_of(features, 'first_quartile') }} as first_quartile_transformed,
        {{ on_second_scale_of(features, 'median') }} as median_transformed,
        {{ on_second_scale_of(features, 'third_quartile') }} as third_quartile_transformed
    from logarithms
),

-- Tukey (1977) calls a value far out that lies beyond the quartiles by more than three times the distance between them.
fences as (
    select
        *,
        first_quartile - 3 * (third_quartile - first_quartile) as lower_fence,
        third_quartile + 3 * (third_quartile - first_quartile) as upper_fence,
        first_quartile_transformed - 3 * (third_quartile_transformed - first_quartile_transformed) as lower_fence_transformed,
        third_quartile_transformed + 3 * (third_quartile_transformed - first_quartile_transformed) as upper_fence_transformed
    from scales
),

-- What is far out on both scales is not the tail of the others, however skewed they are.
final as (
    select
        *,
        case feature
            {%- for feature in features %}
            when '{{ feature.name }}' then {{ sql_texts([feature.range[0] if feature.range[0] is not none else 'null']) }}
            {%- endfor %}
        end as lowest_accepted,
        case feature
            {%- for feature in features %}
            when '{{ feature.name }}' then {{ sql_texts([feature.range[1] if feature.range[1] is not none else 'null']) }}
            {%- endfor %}
        end as highest_accepted,
        least(lower_fence, {{ from_second_scale_of(features, 'lower_fence_transformed') }}) as lower_bound,
        greatest(upper_fence, {{ from_second_scale_of(features, 'upper_fence_transformed') }}) as upper_bound
    from fences
)
{% endif %}

select * from final
