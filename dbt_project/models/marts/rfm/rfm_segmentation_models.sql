{{ sql_of('segmentation_models', segmentation='rfm', reading={
    'int_models': ref('int_rfm_models'),
    'k_scores': ref('rfm_k_scores'),
}) }}
