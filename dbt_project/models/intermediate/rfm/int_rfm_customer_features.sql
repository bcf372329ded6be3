{{ config(materialized='view') }}
{{ sql_of('int_customer_features', segmentation='rfm', reading={
    'stg_customers': ref('customer_order_features'),
}) }}
