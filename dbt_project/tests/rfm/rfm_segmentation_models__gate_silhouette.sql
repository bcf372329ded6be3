{{ config(severity=segmentation().gates.silhouette.severity) }}
{{ like('segmentation_models__gate_silhouette', [
    ref('rfm_segmentation_models'),
]) }}
