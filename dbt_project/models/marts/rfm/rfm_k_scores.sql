{{ sql_of('k_scores', segmentation='rfm', reading={
    'int_models': ref('int_rfm_models'),
}) }}
