{{ config(materialized='view') }}
{{ like('customer_segments', [
    ref('rfm_customer_clusters'),
    ref('int_rfm_segment_names'),
    ref('int_rfm_segment_fences'),
]) }}
