{{ config(enabled=has_customers(), database=published_database(), schema='internal', persist_docs={'relation': true}) }}
{#- Sixty letters fit into three lines of thirty, as on the pictures, wherever the words break. -#}
{%- set most_letters = 60 -%}
{%- set categories = segmentation().categories -%}
{%- set ordinals = ['', 'second ', 'third ', 'fourth ', 'fifth ', 'sixth ', 'seventh ', 'eighth ', 'ninth ', 'tenth '] -%}
{#- The same phrases in another order are the same name; it is that of the segment which was there before, or else has the lower number. -#}
{%- set has_namesake -%}
    names.occasion = namesakes.occasion
    and names.segment_id <> namesakes.segment_id
    and (
        names.model_version > namesakes.model_version
        or (names.model_version = namesakes.model_version and names.segment_id > namesakes.segment_id)
    )
    and {{ sorted_parts('lower(names.possible_name)', ', ') }} = {{ sorted_parts('lower(namesakes.possible_name)', ', ') }}
{%- endset -%}
-- A segment is called after the features in which its centroid lies furthest from the average customer. The name is given once, for the first centroid
-- that the segment had in the features of today, and kept: it follows the number. Beside it stands what the model in use would call the segment.
with

segment_centroids as (
    select * from {{ ref('segment_centroids') }}
),

segment_names as (
    select * from {{ ref('segment_names') }}
),

features as (
    {{ configured_features() }}
),
{% if categories %}

-- How far the share of a level lies from that of all customers, in Cohen's h (1988): of it, too, half of one is medium.
levels as (
    select
        *,
        {{ feature_of('feature') }} as category,
        {{ level_of('feature') }} as level,
        2 * asin(sqrt({{ as_share('centroid') }})) - 2 * asin(sqrt({{ as_share('mean') }})) as effect_size,
        row_number() over (
            partition by model_version, segment_id, {{ feature_of('feature') }}
            order by centroid desc, feature_order asc
        ) as level_rank
    from segment_centroids
    where transform = 'category'
),

-- What is said of a category is the level that most of the segment have.
described_levels as (
    select
        levels.segment_id,
        levels.model_version,
        levels.is_current,
        case when levels.centroid > 0.5 and levels.effect_size > 0 then levels.effect_size else 0 end as centroid_scaled,
        features.feature_order,
        'mostly ' || case
            {%- for feature in categories | selectattr('data_type', 'equalto', 'boolean') %}
            when features.feature = '{{ feature.name }}' and levels.level = 'true' then features.high_phrase
            when features.feature = '{{ feature.name }}' and levels.level = 'false' then features.low_phrase
            {%- endfor %}
            when levels.level = '{{ missing_level() }}' then features.label || ' not given'
            when levels.level = '{{ other_level() }}' then 'other ' || features.label
            -- A number or a letter says nothing by itself.
            when length(levels.level) < 3 or lower(levels.level) = upper(levels.level) then features.label || ' ' || levels.level
            else levels.level
        end as phrase
    from levels
    inner join features on levels.category = features.feature and levels.transform = features.transform
    where levels.level_rank = 1
),
{% endif %}

described_centroids as (
    select
        segment_centroids.segment_id,
        segment_centroids.model_version,
        segment_centroids.is_current,
        {{ centroid_in_deviations() }} as centroid_scaled,
        features.feature_order,
        case when segment_centroids.centroid_scaled > 0 then features.high_phrase else features.low_phrase end as phrase,
        case when segment_centroids.centroid_scaled > 0 then features.highest_phrase else features.lowest_phrase end as superlative,
        -- Among those above the average from the top, and among those below it from the bottom.
        rank() over (
            partition by segment_centroids.model_version, features.feature, segment_centroids.centroid_scaled > 0
            order by abs(segment_centroids.centroid_scaled) desc
        ) as place
    from segment_centroids
    inner join features
        on
            segment_centroids.feature = features.feature
            and segment_centroids.transform = features.transform
    {%- if categories %}
    union all
    select
        *,
        cast(null as string) as superlative,
        cast(null as bigint) as place
    from described_levels
    {%- endif %}
),

counted_centroids as (
    select
        *,
        count(*) over (partition by segment_id, model_version) as n_features
    from described_centroids
),

ranked_centroids as (
    select
        segment_id,
        model_version,
        is_current,
        min(model_version) over (partition by segment_id) = model_version as is_first,
        feature_order,
        centroid_scaled,
        -- Cohen (1988) calls half a standard deviation a medium difference: less is not worth a name.
        abs(centroid_scaled) >= 0.5 as is_salient,
        row_number() over (
            partition by segment_id, model_version
            order by abs(centroid_scaled) desc, feature_order asc
        ) as salience,
        phrase,
        case place
            {%- for ordinal in ordinals %}
            when {{ loop.index }} then '{{ ordinal }}'
            {%- endfor %}
        end || superlative as ranked_phrase
    from counted_centroids
    where n_features = {{ segmentation().features | length }} and {{ computed_once() }}
),

-- What can be said of a segment, the most remarkable first.
phrases as (
    select * from ranked_centroids
    union all
    select
        segment_id,
        model_version,
        is_current,
        is_first,
        0 as feature_order,
        0 as centroid_scaled,
        true as is_salient,
        0 as salience,
        'close to the average' as phrase,
        cast(null as string) as ranked_phrase
    from ranked_centroids
    where salience = 1 and not is_salient
),

-- Three features can be remembered.
descriptions as (
    select
        segment_id,
        model_version,
        {{ joined_texts('phrase', ', ', 'phrase', condition='is_salient and salience <= 3') }} as description
    from phrases
    group by segment_id, model_version
),

differences as (
    select
        phrases.*,
        max(phrases.centroid_scaled) over alike - min(phrases.centroid_scaled) over alike as difference
    from phrases
    inner join descriptions
        on
            phrases.segment_id = descriptions.segment_id
            and phrases.model_version = descriptions.model_version
    window alike as (partition by phrases.model_version, descriptions.description, phrases.feature_order)
),

-- Segments of one description are told apart by their places among all in the feature in which they lie furthest apart.
telling_phrases as (
    select
        *,
        row_number() over (
            partition by segment_id, model_version
            order by ranked_phrase is null asc, difference desc, salience asc
        ) = 1 as is_telling
    from differences
),

-- Three names are possible: one in plain words, one with a place, and one with the number.
parts as (
    select
        telling_phrases.segment_id,
        telling_phrases.model_version,
        telling_phrases.is_current,
        telling_phrases.is_first,
        telling_phrases.salience,
        forms.form,
        forms.form = 2 and telling_phrases.is_telling as is_place,
        case when forms.form = 2 and telling_phrases.is_telling then telling_phrases.ranked_phrase else telling_phrases.phrase end as phrase,
        case when forms.form = 3 then ' (segment ' || telling_phrases.segment_id || ')' else '' end as ending
    from telling_phrases
    cross join (values (1), (2), (3)) as forms (form)
    where
        (telling_phrases.is_salient and telling_phrases.salience <= 3)
        or (forms.form = 2 and telling_phrases.is_telling)
),

-- Where there is no room for all, what sets the segment apart least is left out.
measured_parts as (
    select
        *,
        sum(length(phrase) + length(', ')) over (
            partition by segment_id, model_version, form
            order by is_place desc, salience asc
        ) - length(', ') + length(ending) <= {{ most_letters }} as is_said
    from parts
),

truths as (
    select distinct
        segment_id,
        {{ unnested({made_list(['case when is_salient then phrase end', 'ranked_phrase']): 'phrase'}) }}
    from phrases
    where is_current
),

possible_names as (
    select
        measured_parts.segment_id,
        measured_parts.model_version,
        measured_parts.is_current,
        measured_parts.is_first,
        measured_parts.form,
        {{ joined_texts('measured_parts.phrase', ', ', 'measured_parts.salience', condition='measured_parts.is_said') }}
        || measured_parts.ending as possible_name,
        coalesce(bool_and(truths.phrase is not null) filter (where measured_parts.is_said), true) as is_true
    from measured_parts
    left join truths
        on
            measured_parts.segment_id = truths.segment_id
            and measured_parts.phrase = truths.phrase
    group by
        measured_parts.segment_id, measured_parts.model_version, measured_parts.is_current, measured_parts.is_first, measured_parts.form,
        measured_parts.ending
),

names as (
    select
        occasions.occasion,
        possible_names.segment_id,
        possible_names.model_version,
        possible_names.form,
        possible_names.possible_name,
        max(case when possible_names.form = 2 then possible_names.possible_name end) over (
            partition by occasions.occasion, possible_names.segment_id
        ) as name_with_place,
        possible_names.is_true
    from possible_names
    inner join (values ('given'), ('now')) as occasions (occasion)
        on
            (occasions.occasion = 'given' and possible_names.is_first)
            or (occasions.occasion = 'now' and possible_names.is_current)
    where {{ computed_once() }}
),

own_names as (
    select
        segment_id,
        nullif(trim(segment_name), '') as segment_name
    from segment_names
),

-- Nobody's name changes because of a later segment, but because of the seed, which comes before all.
plain_names as (
    select
        occasion,
        segment_id,
        model_version,
        possible_name
    from names
    where form = 1
    union all
    select
        occasions.occasion,
        own_names.segment_id,
        0 as model_version,
        own_names.segment_name as possible_name
    from own_names
    cross join (values ('given'), ('now')) as occasions (occasion)
),

-- Places are for those whose plain words another one has, or whose first phrase is too long.
names_with_places as (
    select distinct
        names.occasion,
        names.segment_id,
        names.model_version,
        names.name_with_place as possible_name
    from names
    left join plain_names as namesakes on {{ has_namesake }}
    where names.form = 1 and (names.possible_name is null or namesakes.segment_id is not null)
),

taken_names as (
    select * from plain_names
    where {{ computed_once() }}
    union all
    select * from names_with_places
),

free_names as (
    select
        names.occasion,
        names.segment_id,
        coalesce(names.possible_name, 'segment ' || names.segment_id) as free_name,
        names.is_true,
        row_number() over (partition by names.occasion, names.segment_id order by names.form) as choice
    from names
    left join taken_names as namesakes on {{ has_namesake }}
    where names.form = 3 or (names.possible_name is not null and namesakes.segment_id is null)
),

made_names as (
    select
        segment_id,
        max(case when occasion = 'given' then upper(substr(free_name, 1, 1)) || substr(free_name, 2) end) as given_name,
        max(case when occasion = 'now' then upper(substr(free_name, 1, 1)) || substr(free_name, 2) end) as current_name,
        bool_or(is_true) filter (where occasion = 'given') as is_given_true
    from free_names
    where choice = 1
    group by segment_id
),

final as (
    select
        made_names.segment_id,
        coalesce(own_names.segment_name, made_names.given_name) as segment_name,
        case when made_names.current_name is not null then own_names.segment_name is not null or made_names.is_given_true end as is_name_current,
        made_names.current_name
    from made_names
    left join own_names on made_names.segment_id = own_names.segment_id
    where made_names.given_name is not null
)

select * from final
