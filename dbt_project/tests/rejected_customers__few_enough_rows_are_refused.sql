{{ config(severity='warn') }}
{%- set source, n_accepted = segmentation().source, 'select n_customers from ' ~ ref('int_feature_medians') -%}
{%- do warn_of_rejected_rows(ref('rejected_customers'), n_accepted, source) -%}
-- Asserts: no row of the files is refused, which warns: a refused row is no mistake of the build, but somebody should look. And no more than
-- max_rejected_share are, which stops the build before the features: a file that is mostly refused has changed its format, and what is
-- left of it is not the customers. The segments rely on it.
with

{{ rejected_rows_within_bounds(ref('rejected_customers'), n_accepted, segmentation(), 'data_type, way of writing or range') }}

select * from final
