{{ config(materialized='view') }}
{{ like('int_customer_features', [
    ref('int_customer_rfm'),
    ref('int_rfm_feature_medians'),
]) }}
