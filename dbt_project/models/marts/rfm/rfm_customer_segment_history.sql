{{ config(materialized='view') }}
{{ sql_of('customer_segment_history', segmentation='rfm', reading={
    'segment_changes': ref('rfm_segment_changes'),
    'customer_clusters': ref('rfm_customer_clusters'),
}) }}
