{{ config(enabled=has_orders()) }}
with

customer_order_features as (
    select * from {{ ref('customer_order_features') }}
),

-- Merit is the same measure, more of it being better.
measured as (
    select
        'recency_days' as measure,
        cast(recency_days as double) as measured_value,
        -cast(recency_days as double) as merit,
        count(*) as n_equal
    from customer_order_features
    group by recency_days
    union all
    select
        'frequency' as measure,
        cast(frequency as double) as measured_value,
        cast(frequency as double) as merit,
        count(*) as n_equal
    from customer_order_features
    group by frequency
    {% if orders().has_amounts %}
    union all
    select
        'monetary_value' as measure,
        monetary_value as measured_value,
        monetary_value as merit,
        count(*) as n_equal
    from customer_order_features
    group by monetary_value
    {% endif %}
),

ranked as (
    select
        measure,
        measured_value,
        n_equal,
        sum(n_equal) over (partition by measure order by merit) - n_equal as n_worse,
        sum(n_equal) over (partition by measure) as n_customers
    from measured
),

-- Equal customers lie within one fifth, or across several. Then those in the better half get the best of them, the others the worst.
scored as (
    select
        measure,
        measured_value,
        n_equal,
        case
            {%- for measure, bounds in rfm_score_bounds().items() if bounds %}
            when measure = '{{ measure }}'
                then
                    case
                        {%- for bound in bounds %}
                        when measured_value <= {{ bound }} then {{ 6 - loop.index if measure == 'recency_days' else loop.index }}
                        {%- endfor %}
                        else {{ 1 if measure == 'recency_days' else 5 }}
                    end
            {%- endfor %}
            when n_equal = n_customers then 3
            when 2 * n_worse + n_equal >= n_customers then 1 + floor(5 * (n_worse + n_equal - 1) / n_customers)
            else 1 + floor(5 * n_worse / n_customers)
        end as score
    from ranked
),

cells as (
    select
        measures.measure,
        scores.score
    from (values ('recency_days'), ('frequency'){{ ", ('monetary_value')" if orders().has_amounts }}) as measures (measure)
    cross join (values (1), (2), (3), (4), (5)) as scores (score)
),

final as (
    select
        cells.measure,
        cells.score,
        min(scored.measured_value) as lowest_value,
        max(scored.measured_value) as highest_value,
        cast(coalesce(sum(scored.n_equal), 0) as bigint) as n_customers,
        coalesce(max(scored.n_equal), 0) as largest_tie
    from cells
    left join scored
        on
            cells.measure = scored.measure
            and cells.score = scored.score
    group by cells.measure, cells.score
)

select * from final
order by measure, score
