{{ config(materialized='view') }}
{{ sql_of('customer_segments', segmentation='rfm', reading={
    'customer_clusters': ref('rfm_customer_clusters'),
    'int_segment_names': ref('int_rfm_segment_names'),
    'int_segments': ref('int_rfm_segments'),
}) }}
