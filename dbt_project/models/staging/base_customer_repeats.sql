{{ config(enabled=has_customers()) }}
{%- set settings = segmentation() -%}
{%- set key, others = settings.key.name, settings.columns[1:] | map(attribute='name') | list -%}
{%- set lines, multiline = ref('base_customer_lines'), ref('base_customer_multiline_records') -%}
{%- set keys = '(select ' ~ key ~ ' from ' ~ lines ~ ' where reasons is null union all select ' ~ key ~ ' from ' ~ multiline ~ ' where reasons is null)' -%}
{#- Where rows are in no order, the first one is that of the lowest values. -#}
{%- set order = ((others if not has_line_numbers(settings) else []) + ['row_id']) | join(', ') -%}
with

-- Read twice, which spares a copy of every key.
base_customer_records as {{ without_a_copy() }} (
    select *
    from {{ ref('base_customer_records') }}
    where reasons is null{{ ' and false' if settings.key.is_row_number or are_seen_to_differ(keys, key) }}
),

repeated_keys as (
    select {{ key }}
    from base_customer_records
    group by {{ key }}
    having count(*) > 1
),

places as (
    select
        row_id,
        source_file,
        row_number() over (
            partition by {{ key }}
            order by {{ order }}
        ) as place
    from base_customer_records
    where {{ key }} in (select repeated_keys.{{ key }} from repeated_keys)
),

final as (
    select
        row_id,
        source_file
    from places
    where place > 1
)

select * from final
