-- Asserts: records below the headers = accepted + rejected. Whoever reports on customers relies on it; a join or filter in
-- staging that lost a row would otherwise go unseen. Records are counted on the lines as read, without the code that splits them.
with

base_customers as (
    select
        rowid as row_id,
        is_blank
    from {{ ref('base_customers') }}
),

base_customer_files as (
    select * from {{ ref('base_customer_files') }}
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

lines as (
    select
        sum(n_lines) as n_lines,
        count(header_row_id) as n_headers
    from base_customer_files
),

continuation_lines as (
    select unnest(generate_series(first_row_id + 1, last_row_id)) as row_id
    from base_customers_multiline
),

continuations as (
    select count(*) as n_continuations
    from base_customers
    inner join continuation_lines on base_customers.row_id = continuation_lines.row_id
    where not base_customers.is_blank
),

counts as (
    select
        lines.n_lines,
        lines.n_headers,
        continuations.n_continuations,
        (select count(*) from {{ ref('stg_customers') }}) as n_accepted,
        (select count(*) from {{ ref('rejected_customers') }}) as n_rejected
    from lines
    cross join continuations
),

final as (
    select *
    from counts
    where n_lines - n_headers - n_continuations <> n_accepted + n_rejected
)

select * from final
