{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ like('segment_migrations', [
    ref('rfm_segment_profiles'),
    ref('rfm_segmentation_models'),
    ref('rfm_customer_clusters'),
    ref('int_rfm_previous_segments'),
    ref('int_rfm_refit_decision'),
]) }}
