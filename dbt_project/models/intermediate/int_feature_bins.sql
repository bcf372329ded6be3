-- Tenths of today's customers, feature by feature: what later builds measure their drift against once it is stored with a model.
with

int_customer_features as (
    select * from {{ ref('int_customer_features') }}
),

{% for feature in segmentation().features %}
edges_{{ loop.index }} as (
    select
        min({{ feature.name }}) as lowest,
        max({{ feature.name }}) as highest,
        {{ decile_edges(feature.name) }} as upper_edges
    from int_customer_features
),

{% endfor %}
final as (
    {% for feature in segmentation().features %}
    select
        '{{ feature.name }}' as feature,
        edges_{{ loop.index }}.lowest,
        edges_{{ loop.index }}.highest,
        edges_{{ loop.index }}.upper_edges,
        {{ bin_shares('int_customer_features.' ~ feature.name, 'edges_' ~ loop.index ~ '.upper_edges') }} as shares
    from int_customer_features
    cross join edges_{{ loop.index }}
    group by all
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from final
