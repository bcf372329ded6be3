{{ config(database=target.database, schema='internal') }}
{{ like('int_segment_names', [
    ref('int_rfm_segment_centroids'),
    ref('rfm_segment_names'),
]) }}
