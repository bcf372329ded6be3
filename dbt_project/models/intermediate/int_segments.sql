{{ config(enabled=has_customers(), database=published_database(), schema='internal', persist_docs={'relation': true}) }}
{%- set settings = segmentation() -%}
{%- set booleans = settings.categories | selectattr('data_type', 'equalto', 'boolean') | map(attribute='name') | list -%}
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
        {% for feature in settings.numbers %}
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
    select {{ unnested({'features': 'feature', places_in('features'): 'place', 'lambdas': 'power'}) }}
    from int_models
    where is_current
),

fitted_bounds as (
    select
        fitted_rules.bound['segment_id'] as segment_id,
        fitted_rules.bound['feature'] as feature,
        fitted_powers.place,
        fitted_powers.power,
        -- NaN is stored where there is no bound.
        nullif(fitted_rules.bound['lower'], cast('nan' as double)) as lower_fitted,
        nullif(fitted_rules.bound['upper'], cast('nan' as double)) as upper_fitted
    from fitted_rules
    inner join fitted_powers on fitted_rules.bound['feature'] = fitted_powers.feature
),
{% if settings.categories %}

-- A rule asks for one level, or excludes some.
ruled_levels as (
    select
        segment_id,
        {{ feature_of('feature') }} as feature,
        {{ level_of('feature') }} as level,
        place,
        case
            when count(lower_fitted) over (partition by segment_id, {{ feature_of('feature') }}) > 0 then lower_fitted is not null
            else upper_fitted is null
        end as is_allowed,
        -- A quote by its number: two of them in a literal are none before Spark 4.
        chr(39) || replace({{ level_of('feature') }}, chr(39), chr(39) || chr(39)) || chr(39) as quoted_level,
        {{ level_of('feature') }} in ('{{ missing_level() }}', '{{ other_level() }}') as is_unnamed
    from fitted_bounds
    where feature <> {{ feature_of('feature') }}
),

ruled_categories as (
    select
        segment_id,
        feature,
        bool_and(is_allowed) as is_free,
        bool_or(is_allowed and level = '{{ missing_level() }}') as may_be_missing,
        bool_or(is_allowed and level = '{{ other_level() }}') as may_be_other,
        bool_or(is_allowed and level = 'true') as may_be_true,
        sum(case when is_allowed and not is_unnamed then 1 else 0 end) as n_allowed,
        sum(case when is_allowed or is_unnamed then 0 else 1 end) as n_excluded,
        {{ joined_texts('quoted_level', ', ', 'place', condition='is_allowed and not is_unnamed') }} as allowed,
        {{ joined_texts('quoted_level', ', ', 'place', condition='not is_allowed and not is_unnamed') }} as excluded
    from ruled_levels
    group by segment_id, feature
),

conditions_on_levels as (
    select
        *,
        case
            {%- if booleans %}
            when feature in ({{ sql_texts(booleans) }}) and n_allowed = 1 then case when may_be_true then feature else 'not ' || feature end
            when feature in ({{ sql_texts(booleans) }}) and n_allowed = 2 then feature || ' is not null'
            {%- endif %}
            when n_allowed = 1 and not may_be_other then feature || ' = ' || allowed
            when n_allowed > 1 and not may_be_other then feature || ' in (' || allowed || ')'
            when n_excluded = 1 and may_be_other then feature || ' <> ' || excluded
            when n_excluded > 1 and may_be_other then feature || ' not in (' || excluded || ')'
            when may_be_other then feature || ' is not null'
        end as condition
    from ruled_categories
),
{% endif %}

bounds_in_own_units as (
    {%- for feature in settings.numbers %}
    select
        segment_id,
        {{ settings.features.index(feature) + 1 }} as feature_order,
        feature,
        {{ in_own_unit(feature.transform, 'lower_fitted', 'power') }} as lower_exact,
        {{ in_own_unit(feature.transform, 'upper_fitted', 'power') }} as upper_exact
    from fitted_bounds
    where feature = '{{ feature.name }}'
    {{- " union all" if not loop.last }}
    {%- else %}
    select
        segment_id,
        0 as feature_order,
        feature,
        lower_fitted as lower_exact,
        upper_fitted as upper_exact
    from fitted_bounds
    where false
    {%- endfor %}
),

bounds as (
    {%- for feature in settings.numbers %}
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
    {%- else %}
    select
        segment_id,
        feature_order,
        feature,
        lower_exact as lower_bound,
        upper_exact as upper_bound
    from bounds_in_own_units
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
    {%- if settings.categories %}
    union all
    select
        segment_id,
        case feature
            {%- for feature in settings.categories %}
            when '{{ feature.name }}' then {{ settings.features.index(feature) + 1 }}
            {%- endfor %}
        end as feature_order,
        feature,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        case
            when is_free then null
            when condition is null then feature || ' is null'
            when may_be_missing then '(' || condition || ' or ' || feature || ' is null)'
            else condition
        end as condition
    from conditions_on_levels
    {%- endif %}
),

rules as (
    select
        segment_id,
        {%- for feature in settings.numbers %}
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
        {%- for feature in settings.categories %}
        {{ "and " if not loop.first }}coalesce({{ feature.name }}_levels.is_allowed, {{ feature.name }}_rules.may_be_other)
        {%- endfor %}
        {%- for feature in settings.numbers %}
        {{ "and " if settings.categories or not loop.first -}}
        {{ is_within('customer_clusters.' ~ feature.name, 'rules.' ~ feature.name, feature.missing == 'median') }}
        {%- endfor %}
            as is_match
    from customer_clusters
    cross join rules
    {%- for feature in settings.categories %}
    inner join ruled_categories as {{ feature.name }}_rules
        on
            rules.segment_id = {{ feature.name }}_rules.segment_id
            and {{ feature.name }}_rules.feature = '{{ feature.name }}'
    left join ruled_levels as {{ feature.name }}_levels
        on
            rules.segment_id = {{ feature.name }}_levels.segment_id
            and {{ level_in('customer_clusters.' ~ feature.name) }} = {{ feature.name }}_levels.level
            and {{ feature.name }}_levels.feature = '{{ feature.name }}'
    {%- endfor %}
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
