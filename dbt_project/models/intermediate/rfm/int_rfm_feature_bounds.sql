{{ config(materialized='ephemeral' if target.type == 'duckdb' else 'table') }}
{{ sql_of('int_feature_bounds', segmentation='rfm', reading={
    'stg_customers': ref('customer_order_features'),
    'int_feature_sample': ref('int_rfm_feature_sample'),
    'segment_centroids': ref('rfm_segment_centroids'),
}) }}
