{{ config(enabled=has_customers(), materialized='ephemeral', access='protected') }}
{%- set settings = segmentation() -%}
{%- set key, margins = settings.key.name, [] -%}
{%- for feature in settings.features %}{% do margins.append(feature.name ~ '_margin') %}{% endfor -%}
{%- set largest = 'greatest(' ~ margins | join(', ') ~ ')' if margins | length > 1 else margins[0] -%}
{%- set smallest = 'least(' ~ margins | join(', ') ~ ')' if margins | length > 1 else margins[0] -%}
-- A squared distance is a sum over the features, and so is the difference between two of them: the margin splits among the features without a remainder.
with

customer_segments as (
    select * from {{ ref('customer_segments').include(database=false) }}
),

segment_centroids as (
    select * from {{ ref('segment_centroids').include(database=false) }}
    where is_current
),

centres as (
    select
        {% for feature in settings.numbers %}
        max(fill_value) filter (where feature = '{{ feature.name }}') as fill_value_{{ loop.index }},
        max(transform_lambda) filter (where feature = '{{ feature.name }}') as power_{{ loop.index }},
        max(mean) filter (where feature = '{{ feature.name }}') as mean_{{ loop.index }},
        max(scale) filter (where feature = '{{ feature.name }}') as scale_{{ loop.index }},
        max(centroid_scaled) filter (where feature = '{{ feature.name }}') as centre_{{ loop.index }},
        {% endfor %}
        segment_id
    from segment_centroids
    group by segment_id
),
{% if settings.categories %}

-- Of a category a model has a column for each level: the squared distance to a centre, for each level that a customer may have, is a sum over them.
levels as (
    select
        segment_id,
        {{ feature_of('feature') }} as category,
        {{ level_of('feature') }} as level,
        mean,
        scale,
        centroid_scaled
    from segment_centroids
    where transform = 'category'
),

squares as (
    select
        levels.segment_id,
        levels.category,
        given.level,
        sum(power((case when levels.level = given.level then 1 else 0 end - levels.mean) / levels.scale - levels.centroid_scaled, 2)) as square
    from levels
    inner join levels as given on levels.segment_id = given.segment_id and levels.category = given.category
    group by levels.segment_id, levels.category, given.level
),
{% endif %}

margins as (
    select
        customer_segments.{{ key }},
        customer_segments.segment_id,
        customer_segments.segment_name,
        customer_segments.runner_up_segment_id,
        {% for feature in settings.numbers %}
        {% set given = 'coalesce(cast(customer_segments.' ~ feature.name ~ ' as double), own.fill_value_' ~ loop.index ~ ')' %}
        {% set value = transformed(feature.transform, given, 'own.power_' ~ loop.index) %}
        {% set value_scaled = '(' ~ value ~ ' - own.mean_' ~ loop.index ~ ') / own.scale_' ~ loop.index %}
        power({{ value_scaled }} - runner_up.centre_{{ loop.index }}, 2)
        - power({{ value_scaled }} - own.centre_{{ loop.index }}, 2) as {{ feature.name }}_margin,
        {% endfor %}
        {% for feature in settings.categories %}
        coalesce({{ feature.name }}_runner_up.square, {{ feature.name }}_other_runner_up.square)
        - coalesce({{ feature.name }}_own.square, {{ feature.name }}_other_own.square) as {{ feature.name }}_margin,
        {% endfor %}
        power(customer_segments.runner_up_distance, 2) - power(customer_segments.distance, 2) as margin
    from customer_segments
    inner join centres as own on customer_segments.segment_id = own.segment_id
    inner join centres as runner_up on customer_segments.runner_up_segment_id = runner_up.segment_id
    {%- for feature in settings.categories %}
    {%- for place, segment_id in {'own': 'segment_id', 'runner_up': 'runner_up_segment_id'}.items() %}
    left join squares as {{ feature.name }}_{{ place }}
        on
            customer_segments.{{ segment_id }} = {{ feature.name }}_{{ place }}.segment_id
            and {{ feature.name }}_{{ place }}.category = '{{ feature.name }}'
            and {{ feature.name }}_{{ place }}.level = {{ level_in('customer_segments.' ~ feature.name) }}
    left join squares as {{ feature.name }}_other_{{ place }}
        on
            customer_segments.{{ segment_id }} = {{ feature.name }}_other_{{ place }}.segment_id
            and {{ feature.name }}_other_{{ place }}.category = '{{ feature.name }}'
            and {{ feature.name }}_other_{{ place }}.level = '{{ other_level() }}'
    {%- endfor %}
    {%- endfor %}
),

final as (
    select
        {{ key }},
        segment_id,
        segment_name,
        runner_up_segment_id,
        case
            when {{ largest }} <= 0 then 'equally near to both'
            else
                'mainly for ' || case {{ largest }}
                    {%- for feature in settings.features %}
                    when {{ feature.name }}_margin then {{ sql_texts([feature.label]) }}
                    {%- endfor %}
                end || case
                    when {{ smallest }} >= 0 then ''
                    {%- for feature in settings.features %}
                    when {{ smallest }} = {{ feature.name }}_margin then {{ sql_texts([', against ' ~ feature.label]) }}
                    {%- endfor %}
                end
        end as reason,
        margin,
        {{ margins | join(',\n        ') }}
    from margins
)

select * from final
