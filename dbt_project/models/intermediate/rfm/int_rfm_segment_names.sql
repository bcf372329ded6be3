{{ config(database=published_database(), schema='internal', persist_docs={'relation': true}) }}
{{ sql_of('int_segment_names', segmentation='rfm', reading={
    'segment_centroids': ref('rfm_segment_centroids'),
    'segment_names': ref('rfm_segment_names'),
}) }}
