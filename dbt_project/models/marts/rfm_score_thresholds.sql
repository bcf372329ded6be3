{%- set measures = {'recency_days': '-recency_days', 'frequency': 'frequency', 'monetary_value': 'monetary_value'} -%}
-- A score is one more than the fifths of all customers who do worse, so equal customers score the same and nobody scores better than they are.
with

int_customer_rfm as (
    select * from {{ ref('int_customer_rfm') }}
),

{%- for measure, goodness in measures.items() %}

{{ measure }}_fifths as (
    select
        {%- for fifth in [1, 2, 3, 4] %}
        percentile_disc({{ fifth / 5 }}) within group (order by {{ goodness }}) as upper_{{ fifth }}{{ ',' if not loop.last }}
        {%- endfor %}
    from int_customer_rfm
),

{{ measure }}_scores as (
    select
        int_customer_rfm.{{ measure }} as measured,
        case
            when {{ goodness }} > {{ measure }}_fifths.upper_4 then 5
            when {{ goodness }} > {{ measure }}_fifths.upper_3 then 4
            when {{ goodness }} > {{ measure }}_fifths.upper_2 then 3
            when {{ goodness }} > {{ measure }}_fifths.upper_1 then 2
            else 1
        end as score
    from int_customer_rfm
    cross join {{ measure }}_fifths
),
{%- endfor %}

scores as (
    select unnest([1, 2, 3, 4, 5]) as score
),

final as (
    {%- for measure in measures %}
    select
        '{{ measure }}' as measure,
        scores.score,
        cast(min({{ measure }}_scores.measured) as double) as lowest_value,
        cast(max({{ measure }}_scores.measured) as double) as highest_value,
        count({{ measure }}_scores.measured) as n_customers
    from scores
    left join {{ measure }}_scores on scores.score = {{ measure }}_scores.score
    group by scores.score
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from final
order by measure, score
