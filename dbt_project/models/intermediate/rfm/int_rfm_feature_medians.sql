{{ sql_of('int_feature_medians', segmentation='rfm', reading={
    'rejected_customers': ref('rejected_orders'),
    'stg_customers': ref('customer_order_features'),
}) }}
