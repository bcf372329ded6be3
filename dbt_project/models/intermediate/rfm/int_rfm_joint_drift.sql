{{ config(materialized='ephemeral') }}
{{ sql_of('int_joint_drift', segmentation='rfm', reading={
    'int_training_rows': ref('int_rfm_training_rows'),
}) }}
