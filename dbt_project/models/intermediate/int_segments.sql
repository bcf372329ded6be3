{{ config(enabled=has_customers(), database=published_database(), schema='internal', persist_docs={'relation': true}) }}
{%- set settings = segmentation() -%}
-- What is said of a segment as a whole: its rule, the fitted bounds in the features' own units, rounded as a person would say them, and measured on
-- today's customers; and its fence, Tukey's (1977), beyond the third quartile by more than one and a half times the distance between the quartiles.
with

int_models as (
    select * from {{ ref('int_models') }}
),

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

-- A million customers tell a share to a tenth of a percent, and a quartile closely enough; more are represented by a sample.
customer_clusters as (
    select customer_clusters.*
    from {{ ref('customer_clusters') }} as customer_clusters
    cross join int_feature_medians
    where {{ is_sampled('customer_clusters.' ~ settings.key.name, '1000000 / int_feature_medians.n_customers') }}
),

spreads as (
    select
        {% for feature in settings.features %}
        stddev_pop({{ feature.name }}) as {{ feature.name }},
        {% endfor %}
        count(*) as n_customers
    from customer_clusters
),

fitted_rules as (
    select {{ unnested({'rules': 'bound'}) }}
    from int_models
    where is_current
),

fitted_powers as (
    select {{ unnested({'features': 'feature', 'lambdas': 'power'}) }}
    from int_models
    where is_current
),

fitted_bounds as (
    select
        fitted_rules.bound['segment_id'] as segment_id,
        fitted_rules.bound['feature'] as feature,
        fitted_powers.power,
        -- NaN is stored where there is no bound.
        nullif(fitted_rules.bound['lower'], cast('nan' as double)) as lower_fitted,
        nullif(fitted_rules.bound['upper'], cast('nan' as double)) as upper_fitted
    from fitted_rules
    inner join fitted_powers on fitted_rules.bound['feature'] = fitted_powers.feature
),

bounds_in_own_units as (
    {%- for feature in settings.features %}
    select
        segment_id,
        {{ loop.index }} as feature_order,
        feature,
        {{ in_own_unit(feature.transform, 'lower_fitted', 'power') }} as lower_exact,
        {{ in_own_unit(feature.transform, 'upper_fitted', 'power') }} as upper_exact
    from fitted_bounds
    where feature = '{{ feature.name }}'
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

bounds as (
    {%- for feature in settings.features %}
    select
        bounds_in_own_units.segment_id,
        bounds_in_own_units.feature_order,
        bounds_in_own_units.feature,
        {{ rounded_bound('bounds_in_own_units.lower_exact', 'spreads.' ~ feature.name) }} as lower_bound,
        {{ rounded_bound('bounds_in_own_units.upper_exact', 'spreads.' ~ feature.name) }} as upper_bound
    from bounds_in_own_units
    cross join spreads
    where bounds_in_own_units.feature = '{{ feature.name }}'
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

conditions as (
    select
        segment_id,
        feature_order,
        feature,
        lower_bound,
        upper_bound,
        nullif(concat_ws(
            ' and ',
            feature || ' > ' || {{ plain_number('lower_bound') }},
            feature || ' <= ' || {{ plain_number('upper_bound') }}
        ), '') as condition
    from bounds
),

rules as (
    select
        segment_id,
        {%- for feature in settings.features %}
        coalesce(max(lower_bound) filter (where feature = '{{ feature.name }}'), cast('-infinity' as double)) as {{ feature.name }}_lower,
        coalesce(max(upper_bound) filter (where feature = '{{ feature.name }}'), cast('infinity' as double)) as {{ feature.name }}_upper,
        {%- endfor %}
        coalesce({{ joined_texts('condition', ' and ', 'feature_order') }}, 'true') as rule
    from conditions
    group by segment_id
),

-- Of the millions of pairs of a customer and a rule as little as possible is carried along.
matches as (
    select
        rules.segment_id,
        rules.segment_id = customer_clusters.segment_id as is_member,
        {%- for feature in settings.features %}
        {{ "and " if not loop.first }}{{ is_within('customer_clusters.' ~ feature.name, 'rules.' ~ feature.name, feature.missing == 'median') }}
        {%- endfor %}
            as is_match
    from customer_clusters
    cross join rules
),

counts as (
    select
        segment_id,
        count(*) filter (where is_member) as n_members,
        count(*) filter (where is_match) as n_matches,
        count(*) filter (where is_member and is_match) as n_both
    from matches
    group by segment_id
),

quartiles as (
    select
        segment_id,
        {{ percentile('distance', 0.25) }} as first_quartile,
        {{ percentile('distance', 0.75) }} as third_quartile
    from customer_clusters
    group by segment_id
),

final as (
    select
        rules.segment_id,
        rules.rule,
        counts.n_both / nullif(counts.n_members, 0) as rule_coverage,
        counts.n_both / nullif(counts.n_matches, 0) as rule_precision,
        2.5 * quartiles.third_quartile - 1.5 * quartiles.first_quartile as furthest_usual_distance
    from rules
    inner join counts on rules.segment_id = counts.segment_id
    left join quartiles on rules.segment_id = quartiles.segment_id
)

select * from final
