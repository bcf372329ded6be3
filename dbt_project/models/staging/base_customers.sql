{{ config(post_hook="{{ require_usable_source(this) }}") }}

with

records as (
    {{ source_records() }}
),

final as (
    select
        source_file,
        raw_record
    from records
)

select * from final
