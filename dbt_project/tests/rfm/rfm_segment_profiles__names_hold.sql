{{ config(severity='warn') }}
{{ sql_of('segment_profiles__names_hold', segmentation='rfm', reading={
    'segment_profiles': ref('rfm_segment_profiles'),
}) }}
