{{ sql_of('int_models__the_current_one_can_score', segmentation='rfm', reading={
    'int_refit_decision': ref('int_rfm_refit_decision'),
    'int_models': ref('int_rfm_models'),
}) }}
