{{ config(database=target.database, schema='internal', persist_docs={'relation': true}) }}
-- A segment is called after the features in which its centroid lies furthest from the average customer.
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

-- A name is given once, from the first centroid that a segment had in the features of today, and kept: it follows the number.
described_centroids as (
    select
        segment_centroids.segment_id,
        segment_centroids.model_version,
        segment_centroids.centroid_scaled,
        features.label,
        features.low_phrase,
        features.high_phrase,
        features.feature_order,
        count(*) over (partition by segment_centroids.segment_id, segment_centroids.model_version) as n_features
    from segment_centroids
    inner join features
        on
            segment_centroids.feature = features.feature
            and segment_centroids.transform = features.transform
),

named_centroids as (
    select
        *,
        min(model_version) over (partition by segment_id) as first_version
    from described_centroids
    where n_features = {{ segmentation().features | length }}
),

phrases as (
    select
        segment_id,
        model_version,
        -- Cohen (1988) calls half a standard deviation a medium difference: less is not worth a name.
        abs(centroid_scaled) >= 0.5 as is_salient,
        case
            when centroid_scaled >= 0.5 then high_phrase
            when centroid_scaled <= -0.5 then low_phrase
            else 'average ' || label
        end as phrase,
        -- Beyond one and a half only one customer in seven is found on a bell curve, both ends taken together.
        abs(centroid_scaled) >= 1.5 as is_extreme,
        row_number() over (
            partition by segment_id, model_version
            order by abs(centroid_scaled) desc, feature_order asc
        ) as salience
    from named_centroids
    where model_version = first_version
),

candidates as (
    select
        segment_id,
        model_version,
        coalesce(
            {{ joined_texts('phrase', ', ', 'salience', condition='is_salient and salience <= 3') }},
            'close to the average'
        ) as short_name,
        {{ joined_texts("case when is_extreme then 'very ' else '' end || phrase", ', ', 'salience') }} as long_name
    from phrases
    group by segment_id, model_version
),

-- Where segments share the short name, both say more, and in the last resort their number; but none because of a later one.
unique_names as (
    select
        candidates.segment_id,
        case
            when count(*) filter (where older.short_name = candidates.short_name) = 1 then candidates.short_name
            when count(*) filter (where older.long_name = candidates.long_name) = 1 then candidates.long_name
            else candidates.long_name || ' (segment ' || candidates.segment_id || ')'
        end as unique_name
    from candidates
    inner join candidates as older on candidates.model_version >= older.model_version
    group by candidates.segment_id, candidates.short_name, candidates.long_name
),

made_names as (
    select
        segment_id,
        upper(substr(unique_name, 1, 1)) || substr(unique_name, 2) as segment_name
    from unique_names
),

given_names as (
    select
        segment_id,
        nullif(trim(segment_name), '') as segment_name
    from segment_names
),

-- A name that the seed has given to another segment by now is that one's, also when this one comes back.
final as (
    select
        made_names.segment_id,
        coalesce(
            given_names.segment_name,
            made_names.segment_name || case when namesakes.segment_id is null then '' else ' (segment ' || made_names.segment_id || ')' end
        ) as segment_name
    from made_names
    left join given_names on made_names.segment_id = given_names.segment_id
    left join given_names as namesakes
        on
            made_names.segment_name = namesakes.segment_name
            and made_names.segment_id <> namesakes.segment_id
)

select * from final
