{{ like('segment_migrations__reconcile_with_the_customers', [
    ref('rfm_segment_migrations'),
    ref('rfm_customer_segments'),
    ref('int_rfm_previous_segments'),
]) }}
