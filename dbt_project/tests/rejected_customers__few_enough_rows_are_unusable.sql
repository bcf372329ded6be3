-- Asserts: no more than max_rejected_share of the records are refused. The segments rely on it: a file that is mostly
-- refused has changed its format, and what is left of it is not the customers. It stops the build before the features.
{{ too_many_refused(
    ref('rejected_customers'), 'select n_customers from ' ~ ref('int_feature_medians'), segmentation().source, 'data_type, decimal_separator or range'
) }}

select * from final
