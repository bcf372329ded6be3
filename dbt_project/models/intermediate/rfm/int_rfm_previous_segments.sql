{{ like('int_previous_segments', [
    ref('int_customer_rfm'),
]) }}
