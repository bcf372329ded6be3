{{ config(materialized='view') }}
{%- set builds = existing_table('builds') if execute -%}
-- What a build left that did not come to its end is no model: another one may have its number by now.
with

segmentation_fits as (
    select * from {{ ref('segmentation_fits') }}
),

int_refit_decision as (
    select * from {{ ref('int_refit_decision') }}
),

final as (
    select
        segmentation_fits.*,
        segmentation_fits.model_version = int_refit_decision.model_version as is_current
    from segmentation_fits
    cross join int_refit_decision
    where
        segmentation_fits.build_id = int_refit_decision.build_id
        {%- if builds %}
        or segmentation_fits.build_id in (select builds.build_id from {{ builds }} as builds)
        {%- endif %}
)

select * from final
