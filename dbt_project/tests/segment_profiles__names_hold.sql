{{ config(severity='warn') }}
-- Asserts: a name that was kept from an earlier model says nothing that no longer holds. Whoever reads the name alone relies on it.
{% set query %}
    select
        'Segment ' || segment_id || ' is called "' || segment_name || '", which no longer holds: it is now "' || current_name
        || '". To name it, add a line such as ' || segment_id || ',"' || current_name || '" to dbt_project/seeds/{{ segmentation_prefix() }}segment_names.csv; '
        || 'with the old name there, it keeps that one.' as sentence
    from {{ ref('segment_profiles') }}
    where not is_name_current
{% endset %}
{{ sentences_reported(query, 'warn') }}
