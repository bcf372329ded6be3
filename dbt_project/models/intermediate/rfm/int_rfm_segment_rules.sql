{{ like('int_segment_rules', [
    ref('rfm_segmentation_fits'),
    ref('int_rfm_feature_medians'),
    ref('rfm_customer_clusters'),
]) }}
