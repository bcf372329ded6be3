{{ config(severity=segmentation('rfm_').gates.valuable_movers.severity) }}
{{ sql_of('segment_movers__gate_valuable_movers', segmentation='rfm', needs_orders=true, reading={
    'rfm_scores': ref('rfm_scores'),
    'segment_movers': ref('rfm_segment_movers'),
}) }}
