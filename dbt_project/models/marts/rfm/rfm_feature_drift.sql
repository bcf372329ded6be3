{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ sql_of('feature_drift', segmentation='rfm', reading={
    'int_feature_drift': ref('int_rfm_feature_drift'),
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
