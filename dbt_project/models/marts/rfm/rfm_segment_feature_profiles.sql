{{ like('segment_feature_profiles', [
    ref('int_rfm_feature_medians'),
    ref('rfm_customer_segments'),
    ref('int_rfm_segment_centroids'),
]) }}
