{{ like('int_feature_medians__missing_values_can_be_filled_in', [
    ref('int_rfm_feature_medians'),
]) }}
