{{ config(post_hook="{{ require_usable_source(this, segmentation().source) }}") }}
{%- set settings = segmentation() -%}
{%- set layouts = source_layouts(settings.source, settings.columns) %}
with

{% for layout in layouts %}
lines_{{ loop.index }} as (
    {{ source_records(layout) }}
),

{{ checked_records('checked_' ~ loop.index, 'lines_' ~ loop.index, settings.columns, layout, settings.source.decimal_separator) }},
{% endfor %}

final as (
    {% for layout in layouts %}
    select * from checked_{{ loop.index }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from final
