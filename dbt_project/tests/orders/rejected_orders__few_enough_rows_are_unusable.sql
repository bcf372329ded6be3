{{ config(enabled=has_orders()) }}
-- Asserts: no more than max_rejected_share of the lines are refused. The features from orders rely on it: a file that is mostly
-- refused has changed its format, and what is left of it is not the orders. It stops the build before the features.
{{ too_many_refused(
    ref('rejected_orders'), 'select count(*) from ' ~ ref('stg_orders'), orders().source, 'format of the date, the decimal_separator or the headers'
) }}

select * from final
