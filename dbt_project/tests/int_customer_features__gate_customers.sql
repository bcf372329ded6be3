{{ config(severity=segmentation().gates.customers.severity) }}
{%- set settings, labels = segmentation(), last_labels() -%}
{%- set bounds = settings.gates.customers -%}
-- Asserts: most customers of the last build are still there, and their number is much the same. The numbers and the history of segments rely on it.
{% set query %}
    with

    {% if execute and load_relation(labels) %}
    last_customers as (
        select cast({{ settings.key.name }} as {{ sql_type(settings.key.data_type) }}) as {{ settings.key.name }}
        from {{ labels }}
    ),
    {% else %}
    last_customers as (
        select {{ settings.key.name }}
        from {{ ref('int_customer_features') }}
        where false
    ),
    {% endif %}

    counts as (
        select
            (select count(*) from {{ ref('int_customer_features') }}) as n_customers,
            count(*) as n_before,
            count(customers.{{ settings.key.name }}) as n_kept
        from last_customers
        left join {{ ref('int_customer_features') }} as customers on last_customers.{{ settings.key.name }} = customers.{{ settings.key.name }}
    )

    select
        {{ sql_texts([settings.source.name]) }} || ' has ' || n_customers || ' customers; the last build had ' || n_before || ', of whom '
        || n_kept || ' are still there. The gate is a share of {{ bounds.min_kept_share }} of them, and {{ bounds.growth[0] }} to {{ bounds.growth[1] }} '
        || 'times their number. If this is the right file, and whole, accept it for one run with --vars ''{accept_customers: true}'', or change the '
        || 'bounds under gates: customers: in dbt_project.yml.' as sentence
    from counts
    where
        n_kept < {{ bounds.min_kept_share }} * n_before
        or n_customers < {{ bounds.growth[0] }} * n_before
        or (n_before > 0 and n_customers > {{ bounds.growth[1] }} * n_before)
{% endset %}
{{ gate('customers', query) }}
