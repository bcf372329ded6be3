{{ config(severity=segmentation().gates.drift.severity) }}
{{ like('int_feature_drift__gate_drift', [
    ref('int_rfm_feature_drift'),
    ref('int_rfm_refit_decision'),
]) }}
