{{ config(severity=segmentation('rfm_').gates.smallest_share.severity) }}
{{ sql_of('segment_profiles__gate_smallest_share', segmentation='rfm', reading={
    'segment_feature_profiles': ref('rfm_segment_feature_profiles'),
    'feature_diagnostics': ref('rfm_feature_diagnostics'),
    'segment_profiles': ref('rfm_segment_profiles'),
}) }}
