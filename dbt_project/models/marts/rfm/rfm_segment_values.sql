{{ sql_of('segment_values', segmentation='rfm', needs_orders=true, reading={
    'stg_orders': ref('stg_orders'),
    'customer_segment_history': ref('rfm_customer_segment_history'),
    'int_segment_names': ref('int_rfm_segment_names'),
}) }}
