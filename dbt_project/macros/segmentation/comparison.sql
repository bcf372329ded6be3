{#-
    The steps of a query that compares groups of customers in pairs, feature by feature. Before them stand the CTEs `members`, with the group_id and the
    features of each customer in their own units, and `segment_centroids`, the model in use. The last step is `compared`.

    Of numbers the effect size is Hedges' g, the difference of the means in pooled standard deviations, corrected for small groups (Hedges 1981), on the
    scale that segments are formed on; its variance is that of Hedges and Olkin (1985). Of a level it is Cohen's h, the difference of the arcsines of the
    shares (1988). The intervals are normal ones. The overlap is the share that two distributions have in common (Weitzman 1970), counted in steps of a
    fifth of a standard deviation, or by level.
-#}
{% macro compared_groups() -%}
{%- set settings = segmentation() -%}
cells as (
    {%- for feature in settings.numbers %}
    {%- set scaled = '(' ~ transformed(feature.transform, 'cast(members.' ~ feature.name ~ ' as double)', 'fitted.transform_lambda') ~ ' - fitted.mean) / fitted.scale' %}
    select
        members.group_id,
        '{{ feature.name }}' as feature,
        {{ sql_texts([feature.axis]) }} as feature_label,
        {{ settings.features.index(feature) + 1 }} as feature_order,
        cast(floor(5 * ({{ scaled }})) as string) as cell,
        count(*) as n_customers,
        sum(members.{{ feature.name }}) as total,
        sum({{ scaled }}) as total_scaled,
        sum(power({{ scaled }}, 2)) as total_squared
    from members
    inner join (select distinct transform_lambda, mean, scale from segment_centroids where feature = '{{ feature.name }}') as fitted
        on members.{{ feature.name }} is not null
    group by 1, 2, 3, 4, 5
    {{- " union all" if not loop.last or settings.categories }}
    {%- endfor %}
    {%- for feature in settings.categories %}
    select
        members.group_id,
        '{{ feature.name }}' as feature,
        {{ sql_texts([feature.axis ~ ': ']) }} || {{ level_in('members.' ~ feature.name) }} as feature_label,
        {{ settings.features.index(feature) + 1 }} as feature_order,
        {{ level_in('members.' ~ feature.name) }} as cell,
        count(*) as n_customers,
        cast(null as double) as total,
        cast(null as double) as total_scaled,
        cast(null as double) as total_squared
    from members
    group by 1, 2, 3, 4, 5
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

group_sizes as (
    select
        group_id,
        count(*) as n_customers
    from members
    group by group_id
),

shares as (
    select
        *,
        cast(n_customers as double) / sum(n_customers) over (partition by group_id, feature) as share
    from cells
),

moments as (
    select
        group_id,
        feature,
        feature_label,
        feature_order,
        cast(sum(n_customers) as double) as n,
        sum(total) / sum(n_customers) as mean,
        sum(total_scaled) / sum(n_customers) as mean_scaled,
        sum(total_squared) - power(sum(total_scaled), 2) / sum(n_customers) as squared_deviations
    from cells
    where total is not null
    group by group_id, feature, feature_label, feature_order
),

common_shares as (
    select
        one.group_id as first_id,
        other.group_id as second_id,
        one.feature,
        sum(least(one.share, other.share)) as overlap
    from shares as one
    inner join shares as other on one.feature = other.feature and one.cell = other.cell and one.group_id <> other.group_id
    group by one.group_id, other.group_id, one.feature
),

differences as (
    select
        one.group_id as first_id,
        other.group_id as second_id,
        one.feature,
        one.feature_label,
        one.feature_order,
        one.mean as first_mean,
        other.mean as second_mean,
        one.n as first_n,
        other.n as second_n,
        (1 - 3 / (4 * (one.n + other.n) - 9)) * (one.mean_scaled - other.mean_scaled)
        / nullif(sqrt(greatest(one.squared_deviations + other.squared_deviations, 0) / nullif(one.n + other.n - 2, 0)), 0) as g
    from moments as one
    inner join moments as other on one.feature = other.feature and one.group_id <> other.group_id
),

levels as (
    select distinct
        feature,
        feature_label,
        feature_order,
        cell
    from cells
    where total is null
),

level_shares as (
    select
        group_sizes.group_id,
        cast(group_sizes.n_customers as double) as n,
        levels.feature,
        levels.feature_label,
        levels.feature_order,
        coalesce(shares.share, 0) as share
    from group_sizes
    cross join levels
    left join shares on group_sizes.group_id = shares.group_id and levels.feature = shares.feature and levels.cell = shares.cell
),

effects as (
    select
        first_id,
        second_id,
        feature,
        feature_label,
        feature_order,
        first_mean,
        second_mean,
        g as effect_size,
        sqrt((first_n + second_n) / (first_n * second_n) + power(g, 2) / (2 * (first_n + second_n))) as standard_error
    from differences
    union all
    select
        one.group_id as first_id,
        other.group_id as second_id,
        one.feature,
        one.feature_label,
        one.feature_order,
        one.share as first_mean,
        other.share as second_mean,
        2 * asin(sqrt(one.share)) - 2 * asin(sqrt(other.share)) as effect_size,
        sqrt(1 / one.n + 1 / other.n) as standard_error
    from level_shares as one
    inner join level_shares as other on one.feature_label = other.feature_label and one.group_id <> other.group_id
),

compared as (
    select
        effects.first_id,
        effects.second_id,
        cast(
            row_number() over (
                partition by effects.first_id, effects.second_id
                order by abs({{ rounded('coalesce(effects.effect_size, 0)', 9) }}) desc, effects.feature_order asc, effects.feature_label asc
            ) as integer
        ) as effect_rank,
        effects.feature_label,
        first_sizes.n_customers as first_n_customers,
        second_sizes.n_customers as second_n_customers,
        cast(effects.first_mean as double) as first_mean,
        cast(effects.second_mean as double) as second_mean,
        -- What is added up anew with each query, in another order, is not the same behind the ninth decimal.
        {{ rounded('effects.effect_size', 9) }} as effect_size,
        -- 95 in 100 values of a bell curve lie within 1.96 standard deviations.
        {{ rounded('effects.effect_size - 1.96 * effects.standard_error', 9) }} as effect_size_lower,
        {{ rounded('effects.effect_size + 1.96 * effects.standard_error', 9) }} as effect_size_upper,
        {{ rounded('coalesce(common_shares.overlap, 0)', 9) }} as overlap
    from effects
    inner join group_sizes as first_sizes on effects.first_id = first_sizes.group_id
    inner join group_sizes as second_sizes on effects.second_id = second_sizes.group_id
    left join common_shares
        on effects.first_id = common_shares.first_id and effects.second_id = common_shares.second_id and effects.feature = common_shares.feature
)
{%- endmacro %}


{#-
    Puts the comparison of a segment with the keys in a file into the database as a function, for everybody who queries it: compare_with_list, or
    rfm_compare_with_list. Only DuckDB has functions that read files.
-#}
{% macro create_comparison_function() %}
    {% if execute and target.type == 'duckdb' %}
        {% set key = segmentation().key %}
        {% set centroids = segmentation_prefix() ~ 'segment_centroids' %}
        {% do run_query('create or replace macro ' ~ this.schema ~ '.' ~ segmentation_prefix() ~ 'compare_with_list(segment, list) as table ' ~ _comparison_with_list(this.include(database=false), key, centroids)) %}
    {% endif %}
{% endmacro %}


{% macro _comparison_with_list(customer_segments, key, centroids) %}
with

-- Whole lines, so that nothing behind the key matters.
lines as (
    select trim(regexp_extract(line, '^\s*("([^"]|"")*"|[^,;|\t]*)')) as first_field
    from read_csv(list, header = false, columns = {'line': 'string'}, delim = e'\x01', quote = '', escape = '', strict_mode = false)
),

-- A header is a key that nobody has.
listed as (
    select distinct try_cast(replace(trim(first_field, '"'), '""', '"') as {{ sql_type(key.data_type) }}) as listed_key
    from lines
),

placed as (
    select
        customers.*,
        listed.listed_key is not null as is_listed
    from {{ customer_segments }} as customers
    left join listed on customers.{{ key.name }} = listed.listed_key
),

members as (
    select 'segment' as group_id, placed.* from placed where segment_id = segment
    union all
    select 'list' as group_id, placed.* from placed where is_listed
),

segment_centroids as (
    select * from {{ this.schema }}.{{ centroids }}
    where is_current
),

{{ compared_groups() }}

select
    effect_rank,
    feature_label,
    first_n_customers as segment_n_customers,
    second_n_customers as list_n_customers,
    (select count(*) from placed where is_listed and segment_id = segment) as n_in_both,
    first_mean as segment_mean,
    second_mean as list_mean,
    effect_size,
    effect_size_lower,
    effect_size_upper,
    overlap
from compared
where first_id = 'segment'
order by effect_rank
{% endmacro %}
