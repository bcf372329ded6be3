{{ config(enabled=has_customers() and has_orders(), severity=segmentation().gates.valuable_movers.severity) }}
{%- set bound, key = segmentation().gates.valuable_movers.bound, segmentation().key.name -%}
-- Asserts: few of those who were valuable by the last build have moved to segments that are worth less, or left, since. Who looks after them relies on it.
-- depends_on: {{ ref('rfm_scores') }}
{% set query %}
    with

    movers as (
        select
            {{ key }},
            from_segment_name || ' to ' || to_segment_name as move
        from {{ ref('segment_movers') }}
        where customer_changed
    ),

    most_frequent as (
        select
            move,
            count(*) as n_customers
        from movers
        group by move
        order by n_customers desc, move asc
        limit 1
    ),

    counts as (
        select
            (select count(*) from movers) as n_movers,
            count(*) as n_valuable
        from {{ valuable_before() }} as valuable_before
    )

    select
        counts.n_movers || ' valuable customers have moved to segments that are worth less, or left, since the last build: '
        || {{ in_percent('counts.n_movers / counts.n_valuable') }} || ' of the best fifth, the gate is ' || {{ in_percent(bound) }} || '. Most of them, '
        || most_frequent.n_customers || ', went from ' || most_frequent.move || '. {{ segmentation_prefix() }}segment_movers lists them all; if that many is '
        || 'usual, raise the bound under gates: valuable_movers: in dbt_project.yml.' as sentence
    from counts
    cross join most_frequent
    where counts.n_movers > {{ bound }} * counts.n_valuable
{% endset %}
{{ gate('valuable_movers', query) }}
