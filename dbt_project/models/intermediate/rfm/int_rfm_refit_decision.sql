{{ like('int_refit_decision', [
    ref('int_rfm_feature_drift'),
    ref('int_rfm_training_rows'),
    ref('int_rfm_feature_medians'),
]) }}
