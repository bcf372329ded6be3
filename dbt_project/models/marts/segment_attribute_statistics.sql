{{ config(enabled=has_customers()) }}
{%- set measured = segmentation().attributes | selectattr('data_type', 'in', ['double', 'integer', 'date']) | list -%}
{%- set statistics = ['mean', 'p25', 'median', 'p75', 'min', 'max'] -%}
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

-- A million customers tell a percentile closely enough; of more, the percentiles are those of a sample. A date is a number of days.
customer_segments as (
    select
        customer_segments.segment_id,
        customer_segments.segment_name,
        {% for attribute in measured %}
        {% if attribute.data_type == 'date' %}
        {{ days_between("cast('1970-01-01' as date)", 'customer_segments.' ~ attribute.name) }} as {{ attribute.name }},
        {% else %}
        cast(customer_segments.{{ attribute.name }} as double) as {{ attribute.name }},
        {% endif %}
        {% endfor %}
        {{ is_sampled('customer_segments.' ~ segmentation().key.name, '1000000 / int_feature_medians.n_customers') }} as is_sampled
    from {{ ref('customer_segments') }} as customer_segments
    cross join int_feature_medians
),

-- One scan of the customers for all attributes, by segment and, with a segment_id of NULL, over all.
aggregates as (
    select
        segment_id,
        segment_name,
        {% for attribute in measured %}
        count({{ attribute.name }}) as {{ attribute.name }}_n,
        avg({{ attribute.name }}) as {{ attribute.name }}_mean,
        {{ percentile(attribute.name, 0.25) }} filter (where is_sampled) as {{ attribute.name }}_p25,
        {{ percentile(attribute.name, 0.5) }} filter (where is_sampled) as {{ attribute.name }}_median,
        {{ percentile(attribute.name, 0.75) }} filter (where is_sampled) as {{ attribute.name }}_p75,
        min({{ attribute.name }}) as {{ attribute.name }}_min,
        max({{ attribute.name }}) as {{ attribute.name }}_max,
        var_pop({{ attribute.name }}) as {{ attribute.name }}_variance,
        {% endfor %}
        count(*) as n_customers
    from customer_segments
    group by grouping sets ((segment_id, segment_name), ())
),

long_form as (
    {%- for attribute in measured %}
    select
        segment_id,
        segment_name,
        '{{ attribute.name }}' as attribute,
        {{ loop.index }} as attribute_order,
        {{ 'true' if attribute.data_type == 'date' else 'false' }} as is_date,
        {{ attribute.name }}_n as n_customers,
        n_customers - {{ attribute.name }}_n as n_missing,
        {% for statistic in statistics %}
        cast({{ attribute.name }}_{{ statistic }} as double) as value_{{ statistic }},
        {% endfor %}
        {{ attribute.name }}_variance as variance
    from aggregates
    union all
    {%- endfor %}
    select
        segment_id,
        segment_name,
        cast(null as string) as attribute,
        0 as attribute_order,
        false as is_date,
        n_customers,
        n_customers as n_missing,
        cast(null as double) as value_mean,
        cast(null as double) as value_p25,
        cast(null as double) as value_median,
        cast(null as double) as value_p75,
        cast(null as double) as value_min,
        cast(null as double) as value_max,
        cast(null as double) as variance
    from aggregates
    where false
),

population as (
    select
        *,
        -- A ratio to the mean means something where no value is negative and the mean is clearly above 0, by two standard errors.
        not is_date and value_min >= 0 and n_customers * power(value_mean, 2) > 4 * variance as has_index
    from long_form
    where segment_id is null
),

final as (
    select
        long_form.segment_id,
        long_form.segment_name,
        long_form.attribute,
        long_form.attribute_order,
        long_form.n_customers,
        long_form.n_missing,
        {% for statistic in statistics %}
        case when not long_form.is_date then long_form.value_{{ statistic }} end as attribute_{{ statistic }},
        {% endfor %}
        case when not long_form.is_date then population.value_mean end as population_mean,
        case when not long_form.is_date then population.value_median end as population_median,
        case when population.has_index then 100 * long_form.value_mean / population.value_mean end as attribute_index,
        {% for statistic in statistics %}
        case when long_form.is_date then {{ day_of('long_form.value_' ~ statistic) }} end as date_{{ statistic }},
        {% endfor %}
        case when long_form.is_date then {{ day_of('population.value_mean') }} end as population_date_mean,
        case when long_form.is_date then {{ day_of('population.value_median') }} end as population_date_median
    from long_form
    inner join population on long_form.attribute = population.attribute
    where long_form.segment_id is not null
)

select * from final
order by segment_id, attribute_order
