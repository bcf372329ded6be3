{{ sql_of('feature_diagnostics', segmentation='rfm', reading={
    'stg_customers': ref('int_customer_rfm'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
}) }}
