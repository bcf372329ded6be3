{{ sql_of('int_training_rows', segmentation='rfm', reading={
    'int_customer_features': ref('int_rfm_customer_features'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
}) }}
