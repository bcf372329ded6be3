{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ like('feature_drift', [
    ref('int_rfm_feature_drift'),
    ref('int_rfm_refit_decision'),
]) }}
