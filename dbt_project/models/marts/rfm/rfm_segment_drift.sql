{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ like('segment_drift', [
    ref('rfm_segmentation_fits'),
    ref('rfm_segment_profiles'),
]) }}
