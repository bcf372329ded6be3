{{ sql_of('segment_profiles', segmentation='rfm', reading={
    'customer_segments': ref('rfm_customer_segments'),
    'segment_feature_profiles': ref('rfm_segment_feature_profiles'),
    'int_segments': ref('int_rfm_segments'),
    'int_segment_names': ref('int_rfm_segment_names'),
    'int_models': ref('int_rfm_models'),
}) }}
