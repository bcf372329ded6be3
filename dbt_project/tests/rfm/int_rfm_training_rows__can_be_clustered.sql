{{ config(severity='warn' if segmentation('rfm_').is_dispensable else 'error') }}
{{ sql_of('int_training_rows__can_be_clustered', segmentation='rfm', reading={
    'int_training_rows': ref('int_rfm_training_rows'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'int_customer_features': ref('int_rfm_customer_features'),
}) }}
