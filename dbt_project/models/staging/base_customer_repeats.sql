{{ config(enabled=has_customers()) }}
{%- set key = segmentation().key.name -%}
{%- set lines, multiline = ref('base_customer_lines'), ref('base_customer_multiline_records') -%}
{%- set keys = '(select ' ~ key ~ ' from ' ~ lines ~ ' where reasons is null union all select ' ~ key ~ ' from ' ~ multiline ~ ' where reasons is null)' -%}
with

-- Read twice, which spares a copy of every key.
base_customer_records as not materialized (
    select
        row_id,
        source_file,
        {{ key }}
    from {{ ref('base_customer_records') }}
    where reasons is null{{ ' and false' if are_seen_to_differ(keys, key) }}
),

repeated_keys as (
    select
        {{ key }},
        min(row_id) as first_row_id
    from base_customer_records
    group by {{ key }}
    having count(*) > 1
),

final as (
    select
        base_customer_records.row_id,
        base_customer_records.source_file
    from base_customer_records
    inner join repeated_keys on base_customer_records.{{ key }} = repeated_keys.{{ key }}
    where base_customer_records.row_id > repeated_keys.first_row_id
)

select * from final
