{{ like('int_feature_bins', [
    ref('int_rfm_training_rows'),
]) }}
