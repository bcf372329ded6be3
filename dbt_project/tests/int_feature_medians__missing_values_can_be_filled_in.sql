{%- set settings = segmentation() -%}
-- Asserts: every feature has a value in at least one row. The features rely on it: of no values there is no median to fill in.
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

empty_features as (
    {%- for feature in settings.features | selectattr('missing', 'equalto', 'median') %}
    select '{{ feature.name }}' as feature
    from int_feature_medians
    where n_customers > 0 and {{ feature.name }} is null
    union all
    {%- endfor %}
    select cast(null as varchar) as feature
    where false
)

select feature
from empty_features
where
    error(
        {{ sql_texts([settings.source.file]) }} || ' has no value at all in ' || feature
        || ', so there is no median to fill in; remove it from features in dbt_project.yml, vars, {{ segmentation_block() }}.'
    ) is not null
