{{ like('segment_centroids', [
    ref('int_rfm_segment_centroids'),
]) }}
