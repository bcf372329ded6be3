{{ like('segment_feature_profiles', [
    ref('rfm_customer_segments'),
    ref('int_rfm_segment_centroids'),
]) }}
