{{ sql_of('feature_diagnostics', segmentation='rfm', reading={
    'int_feature_sample': ref('int_rfm_feature_sample'),
    'int_feature_bounds': ref('int_rfm_feature_bounds'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'segment_centroids': ref('rfm_segment_centroids'),
}) }}
