{{ config(enabled=has_orders()) }}
-- Asserts: the seed rfm_classes has exactly the 25 cells of the grid. rfm_scores relies on it: a cell that is missing leaves customers without a class.
-- That no cell stands in it twice is a test of the seed itself.
with

rfm_classes as (
    select
        recency_score,
        frequency_monetary_score
    from {{ ref('rfm_classes') }}
),

cells as (
    select
        recency.score as recency_score,
        frequency_monetary.score as frequency_monetary_score
    from (values (1), (2), (3), (4), (5)) as recency (score)
    cross join (values (1), (2), (3), (4), (5)) as frequency_monetary (score)
),

missing as (
    select * from cells
    except
    select * from rfm_classes
),

surplus as (
    select * from rfm_classes
    except
    select * from cells
),

final as (
    select
        'missing' as problem,
        recency_score,
        frequency_monetary_score
    from missing
    union all
    select
        'no cell of the grid' as problem,
        recency_score,
        frequency_monetary_score
    from surplus
)

select * from final
