-- What is known of a build before its tests have run.
with

int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

rejected_customers as (
    select * from {{ ref('rejected_customers') }}
),

segment_profiles as (
    select * from {{ ref('segment_profiles') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

refused as (
    select count(*) as n_rows from rejected_customers
),

orders as (
    {% if has_orders() %}
    select
        (select count(*) from {{ ref('stg_orders') }}) as n_accepted,
        (select count(*) from {{ ref('rejected_orders') }}) as n_rejected
    {% else %}
    select
        cast(null as bigint) as n_accepted,
        cast(null as bigint) as n_rejected
    {% endif %}
),

segments as (
    select count(*) as n_segments from segment_profiles
),

final as (
    select
        {{ build_columns() }},
        {{ sql_texts([segmentation().source.name]) }} as source_file,
        int_feature_medians.n_customers + refused.n_rows as n_rows,
        int_feature_medians.n_customers as n_accepted,
        refused.n_rows as n_rejected,
        orders.n_accepted as n_order_lines_accepted,
        orders.n_rejected as n_order_lines_rejected,
        segments.n_segments,
        cast(int_refit_decision.model_version as integer) as model_version,
        {{ code_version() }} as code_version,
        '{{ dbt_version }}' as dbt_version,
        version() as duckdb_version
    from int_feature_medians
    cross join refused
    cross join orders
    cross join segments
    cross join int_refit_decision
)

select * from final
