{{ sql_of('int_refit_decision__the_model_can_score', segmentation='rfm', reading={
    'int_refit_decision': ref('int_rfm_refit_decision'),
}) }}
