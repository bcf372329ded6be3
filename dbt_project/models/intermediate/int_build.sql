-- What is known of a build before its tests have run.
with

customers as (
    {% if has_customers() %}
    select
        int_feature_medians.n_customers as n_accepted,
        (select count(*) from {{ ref('rejected_customers') }}) as n_rejected,
        (select count(*) from {{ ref('segment_profiles') }}) as n_segments,
        cast(int_refit_decision.model_version as integer) as model_version
    from {{ ref('int_feature_medians') }} as int_feature_medians
    cross join {{ ref('int_refit_decision') }} as int_refit_decision
    {% else %}
    select
        cast(null as bigint) as n_accepted,
        cast(null as bigint) as n_rejected,
        cast(null as bigint) as n_segments,
        cast(null as integer) as model_version
    {% endif %}
),

orders as (
    {% if has_orders() %}
    select
        (select count(*) from {{ ref('stg_orders') }}) as n_accepted,
        count(*) filter (where not is_left_out) as n_rejected,
        count(*) filter (where is_left_out) as n_left_out
    from {{ ref('rejected_orders') }}
    {% else %}
    select
        cast(null as bigint) as n_accepted,
        cast(null as bigint) as n_rejected,
        cast(null as bigint) as n_left_out
    {% endif %}
),

final as (
    select
        {{ build_columns() }},
        {{ sql_texts([segmentation().source.name or orders().source.name]) }} as source_file,
        {{ sql_texts([orders().source.name]) if has_orders() else 'cast(null as string)' }} as orders_source_file,
        customers.n_accepted + customers.n_rejected as n_rows,
        customers.n_accepted,
        customers.n_rejected,
        orders.n_accepted as n_order_lines_accepted,
        orders.n_rejected as n_order_lines_rejected,
        orders.n_left_out as n_order_lines_left_out,
        customers.n_segments,
        customers.model_version,
        {{ code_version() }} as code_version,
        '{{ dbt_version }}' as dbt_version,
        {{ 'version()' if target.type == 'duckdb' else 'cast(null as string)' }} as duckdb_version,
        {{ engine_version() }} as engine
    from customers
    cross join orders
)

select * from final
