{{ config(materialized='view') }}
{{ like('int_customers_to_label', [
    ref('int_customer_rfm'),
    ref('int_rfm_feature_medians'),
    ref('int_rfm_previous_segments'),
]) }}
