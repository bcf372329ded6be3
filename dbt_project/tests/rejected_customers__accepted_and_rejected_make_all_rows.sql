-- Asserts: records below the headers = accepted + rejected. Whoever reports on customers relies on it; a join or filter in
-- staging that lost a row would otherwise go unseen. Records are counted on the lines as read, without the code that splits them.
with

base_customers as (
    select
        rowid as row_id,
        source_file,
        raw_record
    from {{ ref('base_customers') }}
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

rejected_customers as (
    select * from {{ ref('rejected_customers') }}
),

lines as (
    select
        count(*) as n_lines,
        count(distinct case when {{ is_text('source_file') }} then source_file end) as n_headers
    from base_customers
    where trim(raw_record) <> ''
),

continuations as (
    select count(*) as n_continuations
    from base_customers
    inner join base_customers_multiline
        on
            base_customers.row_id > base_customers_multiline.first_row_id
            and base_customers.row_id <= base_customers_multiline.last_row_id
    where trim(base_customers.raw_record) <> ''
),

counts as (
    select
        lines.n_lines,
        lines.n_headers,
        continuations.n_continuations,
        (select count(*) from stg_customers) as n_accepted,
        (select count(*) from rejected_customers) as n_rejected
    from lines
    cross join continuations
),

final as (
    select *
    from counts
    where n_lines - n_headers - n_continuations <> n_accepted + n_rejected
)

select * from final
