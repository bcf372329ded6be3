{%- set settings = segmentation() %}
{%- set n_needed = settings.k_range[0] if settings.n_clusters == 'auto' else settings.n_clusters -%}
-- Asserts: there are enough customers, enough distinct ones, and no feature that is the same for all. K-means relies on it;
-- without this test it would stop with a traceback instead of a sentence.
with

int_training_rows as (
    select * from {{ ref('int_training_rows') }}
),

constant_features as (
    {%- for feature in settings.features %}
    select '{{ feature.name }}' as feature
    from int_training_rows
    having min({{ feature.name }}) = max({{ feature.name }})
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

constants as (
    select string_agg(feature, ' and ' order by feature) as constant_features
    from constant_features
),

counts as (
    select
        coalesce(sum(n_customers), 0) as n_customers,
        count(*) as n_distinct
    from int_training_rows
),

problems as (
    select
        case
            when counts.n_customers < {{ n_needed }}
                then ' has ' || counts.n_customers || ' usable customers, fewer than the {{ n_needed }} segments asked for; give more rows or lower n_clusters'
            when constants.constant_features is not null
                then
                    ' has the same value for every customer in ' || constants.constant_features
                    || ', which tells nobody apart; remove it from features'
            when counts.n_distinct < {{ n_needed }}
                then
                    ' has ' || counts.n_distinct || ' different combinations of features, fewer than the {{ n_needed }} segments asked for; '
                    || 'lower n_clusters or add a feature'
        end as problem
    from counts
    cross join constants
)

select problem
from problems
where
    case
        when problem is not null
            then error({{ sql_texts([settings.source.file]) }} || problem || ' in dbt_project.yml, vars, {{ segmentation_block() }}.') is not null
    end
