{{ config(database=target.database, schema='internal') }}
{{ like('int_segment_fences', [
    ref('int_rfm_feature_medians'),
    ref('rfm_customer_clusters'),
]) }}
