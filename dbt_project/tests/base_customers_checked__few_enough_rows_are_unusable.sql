{%- set source = segmentation().source %}
-- Asserts: no more than max_rejected_share of the records are refused. The segments rely on it: a file that is mostly
-- refused has changed its format, and what is left of it is not the customers. It stops the build before the features.
with

stg_customers as (
    select count(*) as n_accepted from {{ ref('stg_customers') }}
),

base_customers_checked as (
    select count(*) as n_records from {{ ref('base_customers_checked') }}
),

reasons as (
    select
        reasons,
        count(*) as n_times
    from {{ ref('base_customers_checked') }}
    where reasons is not null
    group by reasons
),

commonest as (
    select max_by(n_times || ' times: ' || reasons, n_times) as commonest_reasons
    from reasons
),

counts as (
    select
        base_customers_checked.n_records,
        base_customers_checked.n_records - stg_customers.n_accepted as n_rejected,
        coalesce(commonest.commonest_reasons, 'duplicate keys') as commonest_reasons
    from base_customers_checked
    cross join stg_customers
    cross join commonest
)

select *
from counts
where
    case
        when n_rejected > {{ source.max_rejected_share }} * n_records
            then error(
                n_rejected || ' of ' || n_records || ' rows of ' || {{ sql_texts([source.file]) }}
                || ' are refused, more than the share of {{ source.max_rejected_share }} that is allowed (' || commonest_reasons
                || '): query rejected_customers for all reasons, then mend the file, adapt the data_type, decimal_separator or range in '
                || 'dbt_project.yml, vars, segmentation, or raise max_rejected_share there.'
            ) is not null
    end
