{{ config(materialized='ephemeral', access='protected') }}
{{ sql_of('segment_retention', segmentation='rfm', needs_orders=true, reading={
    'stg_orders': ref('stg_orders'),
    'customer_segment_history': ref('rfm_customer_segment_history'),
    'segment_migrations': ref('rfm_segment_migrations'),
    'int_segment_names': ref('int_rfm_segment_names'),
}) }}
