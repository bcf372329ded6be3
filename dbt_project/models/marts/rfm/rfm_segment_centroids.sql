{{ sql_of('segment_centroids', segmentation='rfm', reading={
    'int_models': ref('int_rfm_models'),
}) }}
