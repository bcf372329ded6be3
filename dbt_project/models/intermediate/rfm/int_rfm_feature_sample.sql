{{ config(materialized='ephemeral' if target.type == 'duckdb' else 'table') }}
{{ sql_of('int_feature_sample', segmentation='rfm', reading={
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'stg_customers': ref('customer_order_features'),
}) }}
