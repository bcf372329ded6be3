{{ config(severity=segmentation().gates.smallest_share.severity) }}
{{ like('segment_profiles__gate_smallest_share', [
    ref('rfm_segment_profiles'),
]) }}
