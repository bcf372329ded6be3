{%- set settings = segmentation() %}
{%- set is_usable = [] -%}
{%- set columns = [] -%}
{%- for feature in settings.features -%}
{%- set column, is_filled_in = 'int_training_rows.' ~ feature.name, feature.missing == 'median' -%}
{%- do is_usable.append('coalesce(abs(' ~ feature.name ~ ') < ' ~ too_large() ~ ', ' ~ is_filled_in | lower ~ ')') -%}
{%- do columns.append('coalesce(' ~ column ~ ', int_feature_medians.' ~ feature.name ~ ')' if is_filled_in else column) -%}
{%- endfor -%}
{%- set n_needed = settings.n_clusters if settings.n_clusters is integer else settings.k_range[0] -%}
-- Asserts: every feature is a number to compute with for every customer, or can be filled in, and is not the same for all; and there are enough customers
-- and enough distinct ones.
-- K-means relies on it; without this test it would stop with a traceback instead of a sentence.
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

int_customer_features as (
    select * from {{ ref('int_customer_features') }}
),

int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

empty_features as (
    {%- for feature in settings.features | selectattr('missing', 'equalto', 'median') %}
    select '{{ feature.name }}' as feature
    from int_feature_medians
    where n_customers > 0 and {{ feature.name }} is null
    union all
    {%- endfor %}
    select cast(null as string) as feature
    where false
),

constant_features as (
    {%- for feature in settings.features %}
    select '{{ feature.name }}' as feature
    from int_training_rows
    having min({{ feature.name }}) = max({{ feature.name }})
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

unusable as (
    select 1 as one
    from int_customer_features
    where not ({{ is_usable | join(' and ') }})
),

distinct_rows as (
    select distinct
        {{ columns | join(',\n        ') }}
    from int_training_rows
    cross join int_feature_medians
),

counts as (
    select
        coalesce(sum(n_customers), 0) as n_customers,
        (select count(*) from distinct_rows) as n_distinct,
        (select {{ joined_texts('feature', ' and ', 'feature') }} from empty_features) as empty_features,
        (select {{ joined_texts('feature', ' and ', 'feature') }} from constant_features) as constant_features,
        (select count(*) from unusable) as n_unusable
    from int_training_rows
),

problems as (
    select
        case
            when empty_features is not null
                then ' has no value at all in ' || empty_features || ', so there is no median to fill in; remove it from features'
            when n_unusable > 0
                then
                    ' has ' || n_unusable || ' customers with a feature that is not a finite number, or one of {{ too_large() }} or more; correct the model '
                    || 'that computes it, or set missing: median in features'
            when n_customers < {{ n_needed }}
                then ' has ' || n_customers || ' usable customers, fewer than the {{ n_needed }} segments asked for; give more rows or lower n_clusters'
            when constant_features is not null
                then ' has the same value for every customer in ' || constant_features || ', which tells nobody apart; remove it from features'
            when n_distinct < {{ n_needed }}
                then
                    ' has ' || n_distinct || ' different combinations of features, fewer than the {{ n_needed }} segments asked for; '
                    || 'lower n_clusters or add a feature'
        end as problem
    from counts
),

final as (
    select {{ sql_texts([settings.source.name]) }} || problem || ' in dbt_project.yml, vars, {{ segmentation_block() }}.' as sentence
    from problems
    where problem is not null
)

select sentence
from final
where {{ raised('sentence') }} is not null
