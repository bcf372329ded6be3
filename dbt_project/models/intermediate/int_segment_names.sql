-- A segment is called after the features in which its centroid lies furthest from the average customer.
with

int_segment_centroids as (
    select * from {{ ref('int_segment_centroids') }}
),

segment_names as (
    select * from {{ ref('segment_names') }}
),

features as (
    {{ configured_features() }}
),

phrases as (
    select
        int_segment_centroids.segment_id,
        -- Cohen (1988) calls half a standard deviation a medium difference: less is not worth a name.
        abs(int_segment_centroids.centroid_scaled) >= 0.5 as is_salient,
        case
            when int_segment_centroids.centroid_scaled >= 0.5 then features.high_phrase
            when int_segment_centroids.centroid_scaled <= -0.5 then features.low_phrase
            else 'average ' || features.label
        end as phrase,
        -- Beyond one and a half only one customer in seven is found on a bell curve, both ends taken together.
        abs(int_segment_centroids.centroid_scaled) >= 1.5 as is_extreme,
        row_number() over (
            partition by int_segment_centroids.segment_id
            order by abs(int_segment_centroids.centroid_scaled) desc, features.feature_order
        ) as salience
    from int_segment_centroids
    inner join features on int_segment_centroids.feature = features.feature
),

candidates as (
    select
        segment_id,
        coalesce(
            string_agg(phrase, ', ' order by salience) filter (where is_salient and salience <= 3),
            'close to the average'
        ) as short_name,
        string_agg(case when is_extreme then 'very ' else '' end || phrase, ', ' order by salience) as long_name
    from phrases
    group by segment_id
),

-- Two segments may share the short name: then both say more, and in the last resort their number.
unique_names as (
    select
        segment_id,
        case
            when count(*) over (partition by short_name) = 1 then short_name
            when count(*) over (partition by long_name) = 1 then long_name
            else long_name || ' (segment ' || segment_id || ')'
        end as unique_name
    from candidates
),

final as (
    select
        unique_names.segment_id,
        coalesce(
            nullif(trim(segment_names.segment_name), ''),
            upper(substr(unique_names.unique_name, 1, 1)) || substr(unique_names.unique_name, 2)
        ) as segment_name
    from unique_names
    left join segment_names on unique_names.segment_id = segment_names.segment_id
)

select * from final
