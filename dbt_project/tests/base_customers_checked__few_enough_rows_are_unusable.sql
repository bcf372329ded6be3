{%- set source = segmentation().source %}
{%- set remedy = 'mend the file, adapt the ranges, or raise max_rejected_share in dbt_project.yml, vars, segmentation' -%}
-- Asserts: no more than max_rejected_share of the records are refused. The segments rely on it: a file that is mostly
-- refused has changed its format, and what is left of it is not the customers. It stops the build before the features.
with

stg_customers as (
    select count(*) as n_accepted from {{ ref('stg_customers') }}
),

base_customers_checked as (
    select count(*) as n_records from {{ ref('base_customers_checked') }}
),

counts as (
    select
        base_customers_checked.n_records,
        base_customers_checked.n_records - stg_customers.n_accepted as n_rejected
    from base_customers_checked
    cross join stg_customers
)

select *
from counts
where
    case
        when n_rejected > {{ source.max_rejected_share }} * n_records
            then error(
                n_rejected || ' of ' || n_records || ' rows of ' || {{ sql_texts([source.file]) }}
                || ' are refused, more than the share of {{ source.max_rejected_share }} that is allowed: '
                || 'query rejected_customers for the reasons, then {{ remedy }}.'
            ) is not null
    end
