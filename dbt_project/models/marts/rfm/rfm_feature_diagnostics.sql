{{ sql_of('feature_diagnostics', segmentation='rfm', reading={
    'int_feature_sample': ref('int_rfm_feature_sample'),
    'int_feature_bounds': ref('int_rfm_feature_bounds'),
}) }}
