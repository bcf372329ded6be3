{{ config(database=published_database(), schema='internal', persist_docs={'relation': true}) }}
{{ sql_of('int_segments', segmentation='rfm', reading={
    'int_models': ref('int_rfm_models'),
    'int_feature_medians': ref('int_rfm_feature_medians'),
    'customer_clusters': ref('rfm_customer_clusters'),
}) }}
