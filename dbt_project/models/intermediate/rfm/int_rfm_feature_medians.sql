{{ like('int_feature_medians', [
    ref('rejected_customers'),
    ref('int_customer_rfm'),
]) }}
