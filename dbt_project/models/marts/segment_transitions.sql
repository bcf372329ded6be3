{{ config(enabled=has_customers(), materialized='ephemeral', access='protected') }}
with

segment_migrations as (
    select * from {{ ref('segment_migrations').include(database=false) }}
    where from_segment_id is not null and {{ rows_that_count('segment_migrations') }}
),

int_segment_names as (
    select * from {{ ref('int_segment_names').include(database=false) }}
),

builds as (
    select
        built_at,
        row_number() over (order by built_at desc) as place,
        count(*) over () as n_builds
    from (select distinct built_at from segment_migrations) as times
),

-- Every build by itself, and the last ones together.
spans as (
    select
        1 as n_builds,
        built_at,
        place as first_place,
        place as last_place
    from builds
    union all
    select
        lengths.n_builds,
        builds.built_at,
        1 as first_place,
        lengths.n_builds as last_place
    from builds
    inner join (values (3), (6), (12)) as lengths (n_builds) on builds.n_builds >= lengths.n_builds
    where builds.place = 1
),

moves as (
    select
        spans.n_builds,
        spans.built_at,
        segment_migrations.from_segment_id,
        segment_migrations.to_segment_id,
        sum(segment_migrations.n_customers) as n_customers,
        sum(segment_migrations.n_model_changed) as n_model_changed
    from spans
    inner join builds on builds.place between spans.first_place and spans.last_place
    inner join segment_migrations on builds.built_at = segment_migrations.built_at
    group by spans.n_builds, spans.built_at, segment_migrations.from_segment_id, segment_migrations.to_segment_id
),

totals as (
    select
        *,
        sum(n_customers) over (partition by n_builds, built_at, from_segment_id) as n_from
    from moves
),

final as (
    select
        totals.built_at,
        totals.n_builds,
        totals.from_segment_id,
        from_names.segment_name as from_segment_name,
        totals.to_segment_id,
        coalesce(to_names.segment_name, '(left)') as to_segment_name,
        cast(totals.n_customers as bigint) as n_customers,
        cast(totals.n_from as bigint) as n_from,
        totals.n_customers / totals.n_from as probability,
        cast(totals.n_model_changed as bigint) as n_model_changed,
        totals.built_at = (select max(builds.built_at) from builds) as is_latest
    from totals
    left join int_segment_names as from_names on totals.from_segment_id = from_names.segment_id
    left join int_segment_names as to_names on totals.to_segment_id = to_names.segment_id
)

select * from final
