{{ sql_of('int_refit_decision', segmentation='rfm', reading={
    'int_feature_drift': ref('int_rfm_feature_drift'),
    'int_training_rows': ref('int_rfm_training_rows'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
}) }}
