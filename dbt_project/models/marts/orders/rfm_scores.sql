{{ config(enabled=has_orders()) }}
{%- set key, has_amounts = segmentation().key.name, orders().has_amounts -%}
with

customer_order_features as (
    select * from {{ ref('customer_order_features') }}
),

rfm_score_thresholds as (
    select * from {{ ref('rfm_score_thresholds') }}
),

rfm_classes as (
    select * from {{ ref('rfm_classes') }}
),

scores as (
    select
        customer_order_features.{{ key }},
        customer_order_features.recency_days,
        customer_order_features.frequency,
        customer_order_features.monetary_value,
        recency.score as recency_score,
        frequency.score as frequency_score,
        {% if has_amounts %}
        monetary.score as monetary_score,
        -- Half a point counts in the customer's favour.
        cast(ceil((frequency.score + monetary.score) / 2) as integer) as frequency_monetary_score
        {% else %}
        cast(null as integer) as monetary_score,
        frequency.score as frequency_monetary_score
        {% endif %}
    from customer_order_features
    inner join rfm_score_thresholds as recency
        on
            recency.measure = 'recency_days'
            and customer_order_features.recency_days between recency.lowest_value and recency.highest_value
    inner join rfm_score_thresholds as frequency
        on
            frequency.measure = 'frequency'
            and customer_order_features.frequency between frequency.lowest_value and frequency.highest_value
    {% if has_amounts %}
    inner join rfm_score_thresholds as monetary
        on
            monetary.measure = 'monetary_value'
            and customer_order_features.monetary_value between monetary.lowest_value and monetary.highest_value
    {% endif %}
),

final as (
    select
        scores.{{ key }},
        scores.recency_days,
        scores.frequency,
        scores.monetary_value,
        scores.recency_score,
        scores.frequency_score,
        scores.monetary_score,
        scores.frequency_monetary_score,
        concat(scores.recency_score, scores.frequency_score{{ ', scores.monetary_score' if has_amounts }}) as rfm_code,
        rfm_classes.rfm_class
    from scores
    left join rfm_classes
        on
            scores.recency_score = rfm_classes.recency_score
            and scores.frequency_monetary_score = rfm_classes.frequency_monetary_score
)

select * from final
order by {{ key }}
