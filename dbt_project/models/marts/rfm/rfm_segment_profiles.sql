{{ like('segment_profiles', [
    ref('rfm_customer_segments'),
    ref('rfm_segment_feature_profiles'),
    ref('int_rfm_segment_rules'),
    ref('rfm_segmentation_fits'),
]) }}
