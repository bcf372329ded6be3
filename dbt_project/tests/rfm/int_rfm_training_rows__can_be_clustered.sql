{{ like('int_training_rows__can_be_clustered', [
    ref('int_rfm_training_rows'),
]) }}
