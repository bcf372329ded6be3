{{ config(severity=segmentation().gates.agreement.severity) }}
{{ like('segmentation_models__gate_agreement', [
    ref('rfm_segmentation_models'),
]) }}
