{{ config(materialized='view') }}
{{ sql_of('int_customers_to_label', segmentation='rfm', reading={
    'stg_customers': ref('customer_order_features'),
    'int_previous_segments': ref('int_rfm_previous_segments'),
}) }}
