{{ sql_of('feature_diagnostics', segmentation='rfm', reading={
    'stg_customers': ref('customer_order_features'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'segment_centroids': ref('rfm_segment_centroids'),
}) }}
