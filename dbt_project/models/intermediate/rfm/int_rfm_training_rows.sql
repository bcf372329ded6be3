{{ like('int_training_rows', [
    ref('int_rfm_customer_features'),
    ref('int_rfm_feature_medians'),
]) }}
