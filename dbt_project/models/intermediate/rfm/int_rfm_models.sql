{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}
{{ sql_of('int_models', segmentation='rfm', reading={
    'segmentation_fits': ref('rfm_segmentation_fits'),
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
