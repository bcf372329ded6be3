{{ sql_of('int_feature_drift', segmentation='rfm', reading={
    'int_training_rows': ref('int_rfm_training_rows'),
}) }}
