{{ sql_of('segment_movers', segmentation='rfm', needs_orders=true, reading={
    'segment_changes': ref('rfm_segment_changes'),
    'segment_migrations': ref('rfm_segment_migrations'),
    'customer_clusters': ref('rfm_customer_clusters'),
    'int_segment_names': ref('int_rfm_segment_names'),
    'rfm_scores': ref('rfm_scores'),
}) }}
