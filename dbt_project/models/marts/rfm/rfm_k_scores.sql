{{ like('k_scores', [
    ref('rfm_segmentation_fits'),
]) }}
