{{ config(enabled=has_orders(), severity='warn') }}
{%- set source, n_accepted = orders().source, 'select count(*) from ' ~ ref('stg_orders') -%}
{%- do report_lines_left_out(ref('rejected_orders'), n_accepted) -%}
{%- do warn_of_rejected_rows(ref('rejected_orders'), n_accepted, source, 'not is_left_out') -%}
-- Asserts: no line of the orders is refused, which warns: a refused line is no mistake of the build, but somebody should look. And no more than
-- max_rejected_share are, which stops the build before the features: a file that is mostly refused has changed its format, and what is
-- left of it is not the orders. What is left out as a matter of course is not refused. The features from orders rely on it.
with

{{ rejected_rows_within_bounds(
    ref('rejected_orders'), n_accepted, orders(), 'format of the date, the way of writing or the headers', 'not is_left_out'
) }}

select * from final
