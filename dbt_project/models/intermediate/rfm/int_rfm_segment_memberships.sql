{{ config(materialized='ephemeral') }}
{{ like('int_segment_memberships', [
    ref('rfm_segment_profiles'),
    ref('rfm_segmentation_models'),
    ref('rfm_customer_segments'),
]) }}
