{{ like('segmentation_models', [
    ref('rfm_segmentation_fits'),
    ref('rfm_k_scores'),
]) }}
