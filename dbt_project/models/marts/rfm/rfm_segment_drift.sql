{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ sql_of('segment_drift', segmentation='rfm', reading={
    'int_models': ref('int_rfm_models'),
    'segment_profiles': ref('rfm_segment_profiles'),
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
