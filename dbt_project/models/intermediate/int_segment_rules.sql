{%- set settings = segmentation() -%}
{%- set key = settings.key.name -%}
-- The fitted bounds in the features' own units, rounded as a person would say them, and measured on today's customers.
with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

customer_clusters as (
    select * from {{ ref('customer_clusters') }}
),

spreads as (
    select
        {% for feature in settings.features %}
        stddev_pop({{ feature.name }}) as {{ feature.name }},
        {% endfor %}
        count(*) as n_customers
    from stg_customers
),

fitted_rules as (
    select unnest(rules) as bound
    from segmentation_fits
    qualify model_version = max(model_version) over ()
),

fitted_bounds as (
    select
        bound['segment_id'] as segment_id,
        bound['feature'] as feature,
        -- NaN is stored where there is no bound.
        case when not isnan(bound['lower']) then bound['lower'] end as lower_fitted,
        case when not isnan(bound['upper']) then bound['upper'] end as upper_fitted
    from fitted_rules
),

bounds as (
    {%- for feature in settings.features %}
    select
        fitted_bounds.segment_id,
        {{ loop.index }} as feature_order,
        '{{ feature.name }}' as feature,
        {{ rounded_bound(in_own_unit(feature, 'fitted_bounds.lower_fitted'), 'spreads.' ~ feature.name) }} as lower_bound,
        {{ rounded_bound(in_own_unit(feature, 'fitted_bounds.upper_fitted'), 'spreads.' ~ feature.name) }} as upper_bound
    from fitted_bounds
    cross join spreads
    where fitted_bounds.feature = '{{ feature.name }}'
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

rules as (
    select
        segment_id,
        {%- for feature in settings.features %}
        max(lower_bound) filter (where feature = '{{ feature.name }}') as {{ feature.name }}_lower,
        max(upper_bound) filter (where feature = '{{ feature.name }}') as {{ feature.name }}_upper,
        {%- endfor %}
        coalesce(string_agg(
            nullif(concat_ws(
                ' and ',
                feature || ' > ' || printf('%.15g', lower_bound),
                feature || ' <= ' || printf('%.15g', upper_bound)
            ), ''),
            ' and '
            order by feature_order
        ), 'true') as rule
    from bounds
    group by segment_id
),

matches as (
    select
        rules.segment_id,
        rules.rule,
        true
        {% for feature in settings.features %}
        and coalesce(stg_customers.{{ feature.name }} > rules.{{ feature.name }}_lower, rules.{{ feature.name }}_lower is null)
        and coalesce(stg_customers.{{ feature.name }} <= rules.{{ feature.name }}_upper, rules.{{ feature.name }}_upper is null)
        {% endfor %}
            as is_match,
        rules.segment_id = customer_clusters.segment_id as is_member
    from stg_customers
    inner join customer_clusters on stg_customers.{{ key }} = customer_clusters.{{ key }}
    cross join rules
),

final as (
    select
        segment_id,
        rule,
        count(*) filter (where is_member and is_match) / nullif(count(*) filter (where is_member), 0) as rule_coverage,
        count(*) filter (where is_member and is_match) / nullif(count(*) filter (where is_match), 0) as rule_precision
    from matches
    group by segment_id, rule
)

select * from final
