{{ config(severity=segmentation('rfm_').gates.stability.severity) }}
{{ sql_of('segment_profiles__gate_stability', segmentation='rfm', reading={
    'segment_profiles': ref('rfm_segment_profiles'),
}) }}
