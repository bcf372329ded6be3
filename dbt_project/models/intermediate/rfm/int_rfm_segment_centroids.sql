{{ like('int_segment_centroids', [
    ref('rfm_segmentation_fits'),
]) }}
