{%- set settings = segmentation() -%}
-- Asserts: every feature has a value in at least one row. The features rely on it: of no values there is no median to fill in.
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

empty_features as (
    {%- for feature in settings.features %}
    select '{{ feature.name }}' as feature
    from stg_customers
    having count(*) > 0 and count({{ feature.name }}) = 0
    {{- " union all" if not loop.last }}
    {%- endfor %}
)

select feature
from empty_features
where
    error(
        {{ sql_texts([settings.source.file]) }} || ' has no value at all in ' || feature
        || ', so there is no median to fill in; remove it from features in dbt_project.yml, vars, segmentation.'
    ) is not null
