{{ config(materialized='ephemeral', access='protected') }}
{{ sql_of('customer_segment_reasons', segmentation='rfm', reading={
    'customer_segments': ref('rfm_customer_segments'),
    'segment_centroids': ref('rfm_segment_centroids'),
}) }}
