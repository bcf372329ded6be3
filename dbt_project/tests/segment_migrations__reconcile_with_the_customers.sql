-- Asserts: in the newest build every customer of today arrives once and every customer of the last build leaves once, and what
-- changed adds up. Reports of movement rely on it.
with

segment_migrations as (
    select * from {{ ref('segment_migrations') }}
    qualify built_at = max(built_at) over ()
),

totals as (
    select
        coalesce(sum(n_customers) filter (where to_segment_id is not null), 0) as n_today,
        coalesce(sum(n_customers) filter (where from_segment_id is not null), 0) as n_before,
        count(*) filter (where n_customer_changed + n_model_changed + n_both_changed > n_customers) as n_overcounted
    from segment_migrations
),

customers as (
    select
        (select count(*) from {{ ref('customer_segments') }}) as n_today,
        (select count(*) from {{ ref('int_previous_segments') }}) as n_before
),

final as (
    select
        totals.n_today as n_arriving,
        customers.n_today,
        totals.n_before as n_leaving,
        customers.n_before,
        totals.n_overcounted
    from totals
    cross join customers
    where
        totals.n_today <> customers.n_today
        or totals.n_before <> customers.n_before
        or totals.n_overcounted > 0
)

select * from final
