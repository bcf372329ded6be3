{%- set key = segmentation().key.name -%}
{%- set usable = '(select ' ~ key ~ ' from ' ~ ref('base_customers_checked') ~ ' where reasons is null)' -%}
with

base_customers_checked as (
    select * from {{ ref('base_customers_checked') }}
),

final as (
    select
        {{ key }},
        min(row_id) as first_row_id
    from base_customers_checked
    where reasons is null{{ ' and false' if are_seen_to_differ(usable, key) }}
    group by {{ key }}
    having count(*) > 1
)

select * from final
