{{ config(severity=segmentation('rfm_').gates.structure.severity) }}
{{ sql_of('segmentation_models__gate_structure', segmentation='rfm', reading={
    'segmentation_models': ref('rfm_segmentation_models'),
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
