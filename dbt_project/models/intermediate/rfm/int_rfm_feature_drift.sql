{{ sql_of('int_feature_drift', segmentation='rfm', reading={
    'int_training_rows': ref('int_rfm_training_rows'),
    'int_joint_drift': ref('int_rfm_joint_drift'),
}) }}
