{{ config(severity=segmentation('').gates.orders.severity) }}
{%- set bounds, past = segmentation('').gates.orders, builds_gone_on_from() -%}
-- Asserts: there are about as many lines of orders as in the last build that had any. Every segment from orders relies on it.
{% set query %}
    with

    last_lines as (
        {% if past %}
        select max_by(builds.n_order_lines_accepted, builds.build_number) as n_lines
        from {{ existing_table('builds') }} as builds
        where
            builds.n_order_lines_accepted is not null
            and builds.build_id in ({{ past }})
        {% else %}
        select cast(null as bigint) as n_lines
        {% endif %}
    ),

    lines as (
        select count(*) as n_lines from {{ ref('stg_orders') }}
    )

    select
        {{ sql_texts([orders().source.name]) }} || ' has ' || lines.n_lines || ' lines of orders; the last build had ' || last_lines.n_lines
        || '. The gate is {{ bounds.growth[0] }} to {{ bounds.growth[1] }} times their number. If this is the right file, and whole, accept it for one '
        || 'run with --vars ''{accept_orders: true}'', or change the bounds under gates: orders: in dbt_project.yml.' as sentence
    from lines
    cross join last_lines
    where lines.n_lines not between {{ bounds.growth[0] }} * last_lines.n_lines and {{ bounds.growth[1] }} * last_lines.n_lines
{% endset %}
{{ sentences_reported(query, bounds.severity) }}
