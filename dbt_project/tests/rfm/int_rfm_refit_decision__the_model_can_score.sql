{{ like('int_refit_decision__the_model_can_score', [
    ref('int_rfm_refit_decision'),
]) }}
