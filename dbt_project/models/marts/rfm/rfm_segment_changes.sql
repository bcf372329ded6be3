{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ sql_of('segment_changes', segmentation='rfm', reading={
    'segment_profiles': ref('rfm_segment_profiles'),
    'segmentation_models': ref('rfm_segmentation_models'),
    'feature_diagnostics': ref('rfm_feature_diagnostics'),
    'customer_clusters': ref('rfm_customer_clusters'),
    'int_previous_segments': ref('int_rfm_previous_segments'),
}) }}
