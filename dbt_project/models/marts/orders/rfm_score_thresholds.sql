{{ config(enabled=has_orders()) }}
-- A score is one more than the whole fifths of the customers who do worse, so equal customers score the same whatever their order.
with

int_customer_rfm as (
    select * from {{ ref('int_customer_rfm') }}
),

-- Merit is the same measure, more of it being better.
measured as (
    select
        'recency_days' as measure,
        cast(recency_days as double) as measured_value,
        -cast(recency_days as double) as merit
    from int_customer_rfm
    union all
    select
        'frequency' as measure,
        cast(frequency as double) as measured_value,
        cast(frequency as double) as merit
    from int_customer_rfm
    union all
    select
        'monetary_value' as measure,
        monetary_value as measured_value,
        monetary_value as merit
    from int_customer_rfm
),

fifths as (
    select
        measure,
        percentile_disc(0.2) within group (order by merit) as upper_1,
        percentile_disc(0.4) within group (order by merit) as upper_2,
        percentile_disc(0.6) within group (order by merit) as upper_3,
        percentile_disc(0.8) within group (order by merit) as upper_4
    from measured
    group by measure
),

scored as (
    select
        measured.measure,
        measured.measured_value,
        case
            when measured.merit > fifths.upper_4 then 5
            when measured.merit > fifths.upper_3 then 4
            when measured.merit > fifths.upper_2 then 3
            when measured.merit > fifths.upper_1 then 2
            else 1
        end as score
    from measured
    inner join fifths on measured.measure = fifths.measure
),

cells as (
    select
        fifths.measure,
        scores.score
    from fifths
    cross join (values (1), (2), (3), (4), (5)) as scores (score)
),

final as (
    select
        cells.measure,
        cells.score,
        min(scored.measured_value) as lowest_value,
        max(scored.measured_value) as highest_value,
        count(scored.measured_value) as n_customers
    from cells
    left join scored
        on
            cells.measure = scored.measure
            and cells.score = scored.score
    group by cells.measure, cells.score
)

select * from final
order by measure, score
