{{ like('int_feature_drift', [
    ref('int_rfm_training_rows'),
]) }}
