{%- set source = segmentation().source %}
-- Asserts: no more than max_rejected_share of the records are refused. The segments rely on it: a file that is mostly
-- refused has changed its format, and what is left of it is not the customers. It stops the build before the features.
with

rejected_customers as (
    select * from {{ ref('rejected_customers') }}
),

reasons as (
    select
        reasons,
        count(*) as n_times
    from rejected_customers
    group by reasons
),

rejected as (
    select
        coalesce(sum(n_times), 0) as n_rejected,
        max_by(n_times || ' times: ' || reasons, n_times) as commonest_reasons
    from reasons
),

counts as (
    select
        rejected.n_rejected,
        rejected.n_rejected + int_feature_medians.n_customers as n_records,
        rejected.commonest_reasons
    from rejected
    cross join {{ ref('int_feature_medians') }} as int_feature_medians
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
