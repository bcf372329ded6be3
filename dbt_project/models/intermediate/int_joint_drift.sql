{{ config(enabled=has_customers(), materialized='ephemeral') }}
{%- set numbers, categories = segmentation().numbers, segmentation().categories -%}
{%- set features = segmentation().features | map(attribute='name') | list -%}
{%- set fits, builds = left_by_builds('segmentation_fits'), left_by_builds('segment_drift') -%}
-- How today's customers lie among the centroids of the model that this build uses unless it fits one, against those of its fit: what no feature shows by
-- itself. A model of before the expected figures were stored is not judged.
with

{% if not builds %}
final as (
    select
        cast(null as bigint) as model_version,
        cast(null as double) as joint_drift,
        cast(null as double) as joint_drift_by_chance
    from {{ ref('int_training_rows') }}
    where false
)
{% else %}
customers_today as (
    select
        {{ features | join(',\n        ') }},
        n_customers
    from {{ ref('int_training_rows') }}
),

present_model as (
    select {{ version_to_go_on_with('builds') }} as model_version
    from {{ builds }} as builds
),

fitted as (
    select fits.*
    from {{ fits }} as fits
    inner join present_model on fits.model_version = present_model.model_version
),

preparations as (
    select {{ unnested({'features': 'feature', 'fill_values': 'fill_value', 'lambdas': 'power'}) }}
    from fitted
),
{% if categories %}

levels as (
    select
        {{ feature_of('feature') }} as feature,
        {{ level_of('feature') }} as level
    from preparations
),
{% endif %}

preparation as (
    select
        {% for feature in numbers | map(attribute='name') %}
        max(fill_value) filter (where feature = '{{ feature }}') as {{ feature }}_fill_value,
        max(power) filter (where feature = '{{ feature }}') as {{ feature }}_power,
        {% endfor %}
        count(*) as n_features
    from preparations
),

segments as (
    select
        features,
        means,
        scales,
        {{ unnested({'segment_ids': 'segment_id', 'centroids_scaled': 'centroid_scaled'}) }}
    from fitted
),

coordinates as (
    select
        segment_id,
        {{ unnested({'features': 'feature', 'means': 'mean', 'scales': 'scale', 'centroid_scaled': 'coordinate'}) }}
    from segments
),

centroids as (
    select
        {% for feature in numbers | map(attribute='name') %}
        max(mean) filter (where feature = '{{ feature }}') as {{ feature }}_mean,
        max(scale) filter (where feature = '{{ feature }}') as {{ feature }}_scale,
        max(coordinate) filter (where feature = '{{ feature }}') as {{ feature }}_coordinate,
        {% endfor %}
        segment_id
    from coordinates
    group by segment_id
),
{% if categories %}

-- What each level adds to the squared distance from each segment: 1 stands in its own column, and 0 in those of the other levels.
level_squares as (
    select
        segment_id,
        {{ feature_of('feature') }} as feature,
        {{ level_of('feature') }} as level,
        sum(power(mean / scale + coordinate, 2)) over (partition by segment_id, {{ feature_of('feature') }})
        - power(mean / scale + coordinate, 2)
        + power((1 - mean) / scale - coordinate, 2) as square
    from coordinates
    where feature <> {{ feature_of('feature') }}
),
{% endif %}

queue as (
    select
        *,
        sum(n_customers) over () as _n_all,
        sum(n_customers) over (
            order by {{ features | join(', ') }}
            rows between unbounded preceding and current row
        ) as _place
    from customers_today
),

-- Every so many of the customers in the order of their features, all of them where they are few: those in the same row together.
drawn as (
    select
        *,
        floor(_place / greatest(_n_all / {{ customers_of_sample() }}, 1))
        - floor((_place - n_customers) / greatest(_n_all / {{ customers_of_sample() }}, 1)) as _n_drawn
    from queue
),

prepared as (
    select
        {% for feature in categories %}
        coalesce({{ feature.name }}_levels.level, '{{ other_level() }}') as {{ feature.name }},
        {% endfor %}
        {% for feature in numbers %}
        {% set value = filled_in('drawn.' ~ feature.name, 'preparation.' ~ feature.name ~ '_fill_value') %}
        {{ transformed(feature.transform, value, 'preparation.' ~ feature.name ~ '_power') }} as {{ feature.name }},
        {% endfor %}
        drawn._place,
        drawn._n_drawn
    from drawn
    cross join preparation
    {% for feature in categories %}
    left join levels as {{ feature.name }}_levels
        on
            {{ feature.name }}_levels.feature = '{{ feature.name }}'
            and {{ level_in('drawn.' ~ feature.name) }} = {{ feature.name }}_levels.level
    {% endfor %}
    where drawn._n_drawn > 0
),

distances as (
    select
        prepared._place,
        prepared._n_drawn,
        sqrt(
            {%- for feature in categories %}
            {{ "+ " if not loop.first }}{{ feature.name }}_squares.square
            {%- endfor %}
            {%- for feature in numbers | map(attribute='name') %}
            {{ "+ " if categories or not loop.first -}}
            power((prepared.{{ feature }} - centroids.{{ feature }}_mean) / centroids.{{ feature }}_scale - centroids.{{ feature }}_coordinate, 2)
            {%- endfor %}
        ) as distance
    from prepared
    cross join centroids
    {% for feature in categories %}
    inner join level_squares as {{ feature.name }}_squares
        on
            centroids.segment_id = {{ feature.name }}_squares.segment_id
            and prepared.{{ feature.name }} = {{ feature.name }}_squares.level
            and {{ feature.name }}_squares.feature = '{{ feature.name }}'
    {% endfor %}
),

ranked as (
    select
        _place,
        _n_drawn,
        distance,
        row_number() over (
            partition by _place
            order by distance
        ) as rank
    from distances
),

nearest as (
    select
        _place,
        _n_drawn,
        max(distance) filter (where rank = 1) as distance,
        1 - max(distance) filter (where rank = 1) / nullif(max(distance) filter (where rank = 2), 0) as confidence
    from ranked
    group by _place, _n_drawn
),

today as (
    select
        sum(_n_drawn) as n_customers,
        sum(_n_drawn * distance) / sum(_n_drawn) as distance,
        sum(_n_drawn * distance * distance) / sum(_n_drawn) as squared_distance,
        sum(_n_drawn * confidence) / sum(_n_drawn) as confidence,
        sum(_n_drawn * confidence * confidence) / sum(_n_drawn) as squared_confidence
    from nearest
),

final as (
    select
        fitted.model_version,
        (
            (today.distance - fitted.expected_distance)
            / {{ pooled_deviation('fitted.distance_deviation', 'today.squared_distance - power(today.distance, 2)') }}
            + (fitted.expected_confidence - today.confidence)
            / {{ pooled_deviation('fitted.confidence_deviation', 'today.squared_confidence - power(today.confidence, 2)') }}
        ) / 2 as joint_drift,
        -- The 95 % of the normal distribution, in standard errors of a segment: a centroid is as uncertain as its segment is small.
        1.645 * sqrt(fitted.n_clusters * (1.0 / {{ customers_measured('fitted') }} + 1.0 / today.n_customers)) as joint_drift_by_chance
    from fitted
    cross join today
)
{% endif %}

select * from final
