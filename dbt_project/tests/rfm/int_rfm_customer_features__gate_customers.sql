{{ config(severity=segmentation('rfm_').gates.customers.severity) }}
{{ sql_of('int_customer_features__gate_customers', segmentation='rfm', reading={
    'int_customer_features': ref('int_rfm_customer_features'),
}) }}
