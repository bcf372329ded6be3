{{ config(materialized='ephemeral', access='protected') }}
{{ sql_of('segment_comparison', segmentation='rfm', reading={
    'customer_segments': ref('rfm_customer_segments'),
    'segment_centroids': ref('rfm_segment_centroids'),
    'int_segment_names': ref('int_rfm_segment_names'),
}) }}
