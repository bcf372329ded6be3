{{ config(severity=segmentation('rfm_').gates.stability.severity) }}
{{ sql_of('segment_profiles__gate_stability', segmentation='rfm', reading={
    'k_scores': ref('rfm_k_scores'),
    'int_models': ref('int_rfm_models'),
    'segment_profiles': ref('rfm_segment_profiles'),
}) }}
