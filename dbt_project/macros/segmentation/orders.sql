{#-
    The day that recency and tenure are counted to: the last day in the orders, so that the same orders always give the same numbers; or the one
    that dbt build --vars '{reference_date: 2025-06-30}' asks for, and then later orders are left out.
-#}
{% macro reference_date(ordered_at) -%}
    {%- set date = fixed_reference_date() -%}
    max({{ "cast('" ~ date ~ "' as date)" if date else 'cast(' ~ ordered_at ~ ' as date)' }})
{%- endmacro %}


{#- As text, or none where the orders decide. -#}
{% macro fixed_reference_date() %}
    {% set date = var('reference_date', none) %}
    {% if date is none %}{% do return(none) %}{% endif %}
    {% if not modules.re.match('[0-9]{4}-[0-9]{2}-[0-9]{2}$', date | string) %}
        {% do exceptions.raise_compiler_error('reference_date: ' ~ date ~ ' is not a date; give it as year-month-day, such as 2025-12-31.') %}
    {% endif %}
    {% do return(date | string) %}
{% endmacro %}


{#- Whether an order counts, as a condition on its time. -#}
{% macro is_up_to_the_reference_date(ordered_at) -%}
    {%- set date = fixed_reference_date() -%}
    {{ 'cast(' ~ ordered_at ~ " as date) <= cast('" ~ date ~ "' as date)" if date else 'true' }}
{%- endmacro %}


{#- The first moment after the day on which the build runs, where it runs: an order from then on is in the future. -#}
{% macro end_of_today() %}timestamp '{{ (run_started_at.astimezone() + modules.datetime.timedelta(days=1)).strftime("%Y-%m-%d") }}'{% endmacro %}


{% macro days_between(first, last) -%}{{ dbt.datediff(first, last, 'day') }}{%- endmacro %}


{#- The date that is so many days behind the first one of 1970, a fraction rounded. -#}
{% macro day_of(n_days) -%}
    cast({{ dbt.dateadd('day', 'cast(round(' ~ n_days ~ ') as integer)', "cast('1970-01-01' as date)") }} as date)
{%- endmacro %}


{#- An amount of money, exact to a ten-thousandth: the sum of doubles depends on the order of the rows, and equal customers must come out equal. -#}
{% macro exact_amount(amount) -%}cast({{ amount }} as decimal(38, 4)){%- endmacro %}


{#- On the console, where the configuration says that the orders have no amounts. -#}
{% macro say_that_there_are_no_amounts() %}
    {% if execute and not orders().has_amounts %}
        {% do log(
            'The orders have no amounts (amount: null): segments, scores and classes from orders go by recency and frequency alone, and '
            ~ values_of_orders() | join(', ') ~ ' are NULL.', info=true
        ) %}
    {% endif %}
{% endmacro %}


{#- Whether a row of rfm_scores is of a valuable customer: one of the best fifth by value, or beyond the bound for the score 5; without amounts, by orders. -#}
{% macro is_valuable(rfm_scores) -%}{{ rfm_scores }}.{{ 'monetary_score' if orders().has_amounts else 'frequency_score' }} = 5{%- endmacro %}


{#-
    The valuable customers of the last build, with what they had bought by then, as a subquery: who has stopped buying is none of today's any more. There
    are none where the last build had no orders.
-#}
{% macro valuable_before() -%}
    {%- set key, scores = segmentation().key, last_table('rfm_scores') -%}
    {%- set is_there = execute and load_relation(scores) and not key.is_row_number -%}
    (
        select
            cast(scores.{{ key.name }} as {{ sql_type(key.data_type) }}) as {{ key.name }},
            cast(scores.monetary_value as double) as monetary_value,
            cast(scores.frequency as integer) as frequency
        from {{ scores if is_there else ref('rfm_scores') }} as scores
        where {{ is_valuable('scores') if is_there else 'false' }}
    )
{%- endmacro %}


{#- The columns of the scores that it asks for. -#}
{% macro columns_of_scores() %}
    {% do return([segmentation('').key.name, 'monetary_value', 'frequency', 'monetary_score', 'frequency_score']) %}
{% endmacro %}
