{{ config(severity='warn') }}
{%- do warn_of_rejected_rows(ref('rejected_customers'), 'select n_customers from ' ~ ref('int_feature_medians'), segmentation().source) -%}
-- Asserts: every row of the files is used. It warns only: a refused row is no mistake of the build, but somebody should look.
with

rejected_customers as (
    select * from {{ ref('rejected_customers') }}
),

final as (
    select reasons
    from rejected_customers
)

select * from final
