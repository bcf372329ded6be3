{{ config(materialized='view') }}
{{ sql_of('int_previous_segments', segmentation='rfm', reading={
    'stg_customers': ref('customer_order_features'),
}) }}
