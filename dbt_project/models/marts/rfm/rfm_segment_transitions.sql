{{ config(materialized='ephemeral', access='protected') }}
{{ sql_of('segment_transitions', segmentation='rfm', reading={
    'segment_migrations': ref('rfm_segment_migrations'),
    'int_segment_names': ref('int_rfm_segment_names'),
}) }}
