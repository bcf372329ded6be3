{{ sql_of('segment_feature_profiles', segmentation='rfm', reading={
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'customer_segments': ref('rfm_customer_segments'),
    'segment_centroids': ref('rfm_segment_centroids'),
}) }}
