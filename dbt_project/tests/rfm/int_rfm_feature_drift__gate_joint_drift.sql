{{ config(severity=segmentation('rfm_').gates.joint_drift.severity) }}
{{ sql_of('int_feature_drift__gate_joint_drift', segmentation='rfm', reading={
    'int_feature_drift': ref('int_rfm_feature_drift'),
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
