{{ config(severity=segmentation().gates.stability.severity) }}
{{ like('segment_profiles__gate_stability', [
    ref('rfm_segment_profiles'),
]) }}
