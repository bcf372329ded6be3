{{ config(enabled=has_customers()) }}
{%- set settings = segmentation() -%}
{%- set features, categories, is_read_from_files = settings.numbers, settings.categories, settings.customers == 'stg_customers' -%}
{#- A feature alone is its own pair, with the correlation that nothing has. -#}
{%- set pairs = pairs_of(features | length) or [(1, 1)] -%}
{%- set firsts, seconds, correlations = [], [], [] -%}
{%- for place, other in pairs if features -%}
{%- do firsts.append(settings.features.index(features[place - 1]) + 1) -%}
{%- do seconds.append(settings.features.index(features[other - 1]) + 1) -%}
{%- do correlations.append('corr(' ~ features[place - 1].name ~ ', ' ~ features[other - 1].name ~ ')') -%}
{%- endfor -%}
{%- set source = sql_texts([settings.source.name]) -%}
{%- set place = "'in dbt_project.yml, vars, " ~ segmentation_block() ~ "'" -%}
{%- set middle_half = 'third_quartile - first_quartile' -%}
-- What a feature is like, and what would make better segments of it.
with

int_feature_sample as (
    select * from {{ ref('int_feature_sample') }}
),

int_feature_bounds as (
    select * from {{ ref('int_feature_bounds') }}
),

features as (
    {{ configured_features() }}
),

{% if categories %}
int_feature_medians as (
    select * from {{ ref('int_feature_medians') }}
),

level_counts as (
    {%- for feature in categories %}
    select
        '{{ feature.name }}' as feature,
        {{ feature.name }} as level,
        count(*) as n_customers
    from int_feature_sample
    group by {{ feature.name }}
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

model_levels as (
    select distinct feature
    from {{ ref('segment_centroids') }}
    where is_current
),

-- With how common they are, and how many others are spelt so but for capitals.
levels as (
    select
        level_counts.*,
        row_number() over (partition by level_counts.feature order by level_counts.n_customers desc, level_counts.level asc) as level_rank,
        min(level_counts.level) over (partition by level_counts.feature, lower(level_counts.level)) as first_spelling,
        max(level_counts.level) over (partition by level_counts.feature, lower(level_counts.level)) as last_spelling,
        model_levels.feature is not null as has_column
    from level_counts
    left join model_levels
        on level_counts.feature || '=' || level_counts.level = model_levels.feature
    where level_counts.level is not null
),

level_totals as (
    select
        feature,
        count(*) as n_levels,
        sum(n_customers) as n_known,
        max(n_customers) as n_commonest,
        max(case when level_rank = 1 then level end) as commonest_level,
        sum(case when has_column then 0 else 1 end) as n_others,
        sum(case when has_column then 0 else n_customers end) as n_customers_of_others,
        min(case when first_spelling <> last_spelling then first_spelling end) as first_spelling,
        min_by(last_spelling, first_spelling) filter (where first_spelling <> last_spelling) as last_spelling
    from levels
    group by feature
),

category_sizes as (
    select
        feature,
        sum(n_customers) as n_sampled
    from level_counts
    group by feature
),

category_diagnoses as (
    select
        features.*,
        level_totals.n_levels,
        level_totals.commonest_level,
        level_totals.n_others,
        level_totals.first_spelling,
        level_totals.last_spelling,
        level_totals.n_commonest / level_totals.n_known as commonest_share,
        level_totals.n_customers_of_others / category_sizes.n_sampled as others_share,
        1 - coalesce(level_totals.n_known, 0) / category_sizes.n_sampled as missing_share
    from features
    inner join category_sizes on features.feature = category_sizes.feature
    left join level_totals on features.feature = level_totals.feature
),

advised_categories as (
    select
        *,
        case
            -- Levels that hardly anybody has cannot make a segment, and where nearly all have one, it tells them not apart.
            when n_levels > 1 and commonest_share >= 0.95
                then
                    {{ in_percent('commonest_share') }} || ' of the customers have the same level in ' || feature || ', ' || commonest_level
                    || ', so that it hardly tells them apart. Take ' || feature || ' out of features ' || {{ place }}
                    || ', or list it under attributes, which describe segments without forming them.'
            when first_spelling is not null
                then
                    feature || ' has levels that differ in capitals alone, such as ' || first_spelling || ' and ' || last_spelling
                    || ', and count as different. Spell them alike in ' || {{ source }} || '.'
            when n_others > 0
                then
                    'The model has no column for ' || n_others || ' of the ' || n_levels || ' levels of ' || feature || ', which '
                    || {{ in_percent('others_share') }} || ' of the customers have: they count together as {{ other_level() }}. Group levels in '
                    || {{ source }} || ' if that loses something, or fit anew with --vars ''{refit: true}'' where they are new.'
        end as advice
    from category_diagnoses
),

{% endif %}
{% if features %}
-- Counted from the median in units of the range, values have powers that are finite and exact enough, whatever the unit of the feature and its offset.
moments as (
    {%- for feature in features %}
    select
        '{{ feature.name }}' as feature,
        {{ power_sums('centred', 'own') }},
        {{ power_sums('(value_transformed - median_transformed)', 'transformed') }},
        avg(case when feature_value between lower_fence and upper_fence then 0 else 1 end) as far_out_share,
        avg(case when value_transformed between lower_fence_transformed and upper_fence_transformed then 0 else 1 end) as far_out_share_transformed,
        sum(case when feature_value < lower_bound then 1 else 0 end) as n_below,
        sum(case when feature_value > upper_bound then 1 else 0 end) as n_above
    from (
        select
            int_feature_bounds.*,
            int_feature_sample.{{ feature.name }} as feature_value,
            (int_feature_sample.{{ feature.name }} - int_feature_bounds.median) / nullif(int_feature_bounds.highest - int_feature_bounds.lowest, 0) as centred,
            {{ on_second_scale(feature, 'int_feature_sample.' ~ feature.name) }} as value_transformed
        from int_feature_sample
        cross join int_feature_bounds
        where int_feature_bounds.feature = '{{ feature.name }}' and int_feature_sample.{{ feature.name }} is not null
    ) as customers
    {{- " union all" if not loop.last }}
    {%- endfor %}
),

central_moments as (
    select
        {%- for scale in ['own', 'transformed'] %}
        {{ central_moment(scale, 2, 'int_feature_bounds.n_known') }} as {{ scale }}_second,
        {{ central_moment(scale, 3, 'int_feature_bounds.n_known') }} as {{ scale }}_third,
        {{ central_moment(scale, 4, 'int_feature_bounds.n_known') }} as {{ scale }}_fourth,
        {%- endfor %}
        int_feature_bounds.*,
        moments.far_out_share,
        moments.far_out_share_transformed,
        moments.n_below,
        moments.n_above
    from int_feature_bounds
    left join moments on int_feature_bounds.feature = moments.feature
),

-- The moment coefficients g1 and g2: of these customers, not estimates for others.
shapes as (
    select
        {%- for scale in ['own', 'transformed'] %}
        {{ scale }}_third / nullif(power({{ scale }}_second, 1.5), 0) as {{ scale }}_skewness,
        {{ scale }}_fourth / nullif(power({{ scale }}_second, 2), 0) - 3 as {{ scale }}_kurtosis,
        {%- endfor %}
        *
    from central_moments
),

used_scales as (
    select
        {%- for feature in features %}
        {%- set suffix = '' if feature.transform == 'none' else '_transformed' %}
        {%- set is_spread = "feature = '" ~ feature.name ~ "' and first_quartile < third_quartile" %}
        max(power) filter (where feature = '{{ feature.name }}') as {{ feature.name }}_power,
        max(median{{ suffix }}) filter (where feature = '{{ feature.name }}') as {{ feature.name }}_median,
        max(lower_fence{{ suffix }}) filter (where {{ is_spread }}) as {{ feature.name }}_lower,
        max(upper_fence{{ suffix }}) filter (where {{ is_spread }}) as {{ feature.name }}_upper,
        {%- endfor %}
        count(*) as n_features
    from int_feature_bounds
),

-- Values far out are pulled in to the fence: one customer shall neither make two features alike nor hide that they are.
pulled_in as (
    select
        {%- for feature in features %}
        {% set value, power = 'int_feature_sample.' ~ feature.name, 'used_scales.' ~ feature.name ~ '_power' %}
        case when int_feature_sample.{{ feature.name }} is not null then greatest(
            least({{ transformed(feature.transform, value, power) }}, used_scales.{{ feature.name }}_upper),
            used_scales.{{ feature.name }}_lower
        ) end - used_scales.{{ feature.name }}_median as {{ feature.name }},
        {%- endfor %}
        int_feature_sample.is_ordered
    from int_feature_sample
    cross join used_scales
    where int_feature_sample.is_ordered
),

-- Each two features, both ways, by their places; a feature that is the same for all customers of the sample is correlated with nothing.
pairs as (
    select
        {{ made_list(firsts + seconds) }} as places,
        {{ made_list(seconds + firsts) }} as other_places,
        {{ made_list(correlations * 2) }} as correlations
    from pulled_in
),

correlations as (
    select {{ unnested({'places': 'place', 'other_places': 'other_place', 'correlations': 'correlation'}) }}
    from pairs
),

largest_correlations as (
    select
        *,
        row_number() over (partition by place order by abs(correlation) desc, other_place asc) as correlation_rank
    from correlations
    where place <> other_place and nullif(correlation, cast('nan' as double)) is not null
),

diagnoses as (
    select
        features.*,
        shapes.n_customers,
        shapes.n_known,
        shapes.n_sampled,
        shapes.n_zeros,
        shapes.lowest,
        shapes.highest,
        shapes.first_quartile,
        shapes.third_quartile,
        shapes.lower_bound,
        shapes.upper_bound,
        shapes.lowest_accepted,
        shapes.highest_accepted,
        shapes.n_below,
        shapes.n_above,
        shapes.is_for_log1p,
        shapes.own_skewness as skewness,
        shapes.own_kurtosis as excess_kurtosis,
        shapes.far_out_share,
        case when features.transform = 'none' then shapes.own_skewness else shapes.transformed_skewness end as skewness_transformed,
        case when features.transform = 'none' then shapes.own_kurtosis else shapes.transformed_kurtosis end as excess_kurtosis_transformed,
        case when features.transform = 'none' then shapes.far_out_share else shapes.far_out_share_transformed end as far_out_share_transformed,
        features.transform = 'none' and not {{ is_heavy_tailed('shapes.transformed_skewness', 'shapes.transformed_kurtosis') }}
            as is_helped_by_a_transform,
        shapes.is_for_log1p and features.transform = 'none' and abs(shapes.transformed_skewness) < 0.5 * shapes.own_skewness as is_helped_by_log1p,
        coalesce(shapes.n_values = 2, false) as is_yes_or_no,
        shapes.commonest_value,
        shapes.commonest_share,
        partners.feature as correlated_feature,
        largest_correlations.correlation,
        coalesce(partner_bounds.n_values = 2, false) as is_partner_yes_or_no,
        case when features.feature_order < partners.feature_order then features.feature else partners.feature end as first_of_pair,
        case when features.feature_order < partners.feature_order then partners.feature else features.feature end as second_of_pair
    from features
    inner join shapes on features.feature = shapes.feature
    left join largest_correlations
        on
            features.feature_order = largest_correlations.place
            and largest_correlations.correlation_rank = 1
    left join features as partners on largest_correlations.other_place = partners.feature_order
    left join int_feature_bounds as partner_bounds on partners.feature = partner_bounds.feature
),

-- Of what is said of a feature's own values, the first that fits: what stands further down would not help before that is done.
advised as (
    select
        *,
        case
            -- From half on, the value filled in is what most customers are compared by.
            when n_known < 0.5 * n_sampled
                then
                    {{ in_percent('(n_sampled - n_known) / n_sampled') }} || ' of the customers have no value in ' || feature
                    || ', and one and the same is filled in for them. Take ' || feature || ' out of features ' || {{ place }} || '.'
        end as missing_advice,
        case
            when lowest = highest then null
            -- The gate smallest_share says why one in a hundred.
            when commonest_share > 0.99
                then
                    {{ in_percent('commonest_share') }} || ' of the customers have the same value in ' || feature || ', '
                    || {{ plain_number('commonest_value') }} || ', and the others are too few for a segment. Take ' || feature
                    || ' out of features ' || {{ place }} || ', or list it under attributes, which describe segments without forming them.'
            when is_yes_or_no or not {{ is_heavy_tailed('skewness_transformed', 'excess_kurtosis_transformed') }} then null
            when is_helped_by_a_transform
                then
                    'A few ' || case when skewness < 0 then 'low' else 'high' end || ' values outweigh all others in ' || feature
                    || ' (skewness ' || {{ plain_number(rounded('skewness', 1)) }} || '). Set transform: '
                    || case
                        when is_for_log1p and coalesce(try_cast(lowest_accepted as double), -1) < 0 then 'log1p and range: [0, ' || highest_accepted || ']'
                        when is_for_log1p then 'log1p'
                        else 'yeo-johnson'
                    end || ' for ' || feature || ' ' || {{ place }} || '.'
            -- The quartiles are the same: whether customers have another value tells more than which. Who has followed the advice has a yes/no feature that is
            -- largely the same (r >= 0.5, Cohen 1988).
            when commonest_share >= 0.75 and is_partner_yes_or_no and abs(correlation) >= 0.5 then null
            when commonest_share >= 0.75
                then
                    {{ in_percent('commonest_share') }} || ' of the customers have the same value in ' || feature || ', '
                    || {{ plain_number('commonest_value') }} || ', and the others lie far from it. Give ' || {{ source }}
                    || ' a yes/no column that is 0 where ' || feature || ' is ' || {{ plain_number('commonest_value') }}
                    || ' and 1 where it is not, and list it beside ' || feature || ' under features ' || {{ place }}
                    || case when is_helped_by_log1p then '; set transform: log1p for ' || feature || '.' else '.' end
            -- A range refuses rows; one in twenty would stop the build.
            when n_below + n_above between 1 and 0.05 * n_known and first_quartile < third_quartile
                then
                    (n_below + n_above) || ' of ' || n_known || ' customers ' || case when n_below + n_above = 1 then 'lies' else 'lie' end
                    || ' far from all others in ' || feature || ' ('
                    || concat_ws(
                        ', ',
                        case when n_below > 0 then 'down to ' || {{ plain_number(rounded_bound('lowest', middle_half)) }} end,
                        case when n_above > 0 then 'up to ' || {{ plain_number(rounded_bound('highest', middle_half)) }} end
                    )
                    || '), beside which those look alike. Correct what is a mistake, or leave such customers out '
                    {%- if is_read_from_files %}
                    || 'with range: ['
                    || case when n_below > 0 then {{ plain_number(rounded_bound('lower_bound', middle_half)) }} else lowest_accepted end || ', '
                    || case when n_above > 0 then {{ plain_number(rounded_bound('upper_bound', middle_half)) }} else highest_accepted end
                    || '] for ' || feature || ' ' || {{ place }} || '.'
                    {%- else %}
                    || 'of ' || {{ source }} || '.'
                    {%- endif %}
        end as own_advice,
        case
            -- Tabachnick and Fidell (2013), "Using multivariate statistics", call features redundant from here on. An amount and the yes/no feature beside it
            -- are meant to be.
            when abs(correlation) >= 0.9 and is_yes_or_no = is_partner_yes_or_no
                then
                    first_of_pair || ' and ' || second_of_pair || ' say nearly the same (correlation ' || {{ plain_number(rounded('correlation', 2)) }}
                    || '), so that it counts twice. Unless that is meant, drop one of the two from features ' || {{ place }} || '.'
        end as correlation_advice
    from diagnoses
),

{% endif %}
final as (
    {%- if features %}
    select
        feature,
        axis_label as feature_label,
        cast(feature_order as integer) as feature_order,
        transform,
        n_customers,
        lowest,
        highest,
        skewness,
        excess_kurtosis,
        far_out_share,
        skewness_transformed,
        excess_kurtosis_transformed,
        far_out_share_transformed,
        commonest_value,
        commonest_share,
        n_zeros / nullif(n_known, 0) as zero_share,
        (n_sampled - n_known) / nullif(n_sampled, 0) as missing_share,
        correlated_feature,
        correlation,
        nullif(concat_ws(' ', missing_advice, own_advice, correlation_advice), '') as advice
    from advised
    {%- endif %}
    {{- " union all" if features and categories }}
    {%- if categories %}
    select
        advised_categories.feature,
        advised_categories.axis_label as feature_label,
        cast(advised_categories.feature_order as integer) as feature_order,
        advised_categories.transform,
        int_feature_medians.n_customers,
        {% for name in [
            'lowest', 'highest', 'skewness', 'excess_kurtosis', 'far_out_share', 'skewness_transformed', 'excess_kurtosis_transformed',
            'far_out_share_transformed', 'commonest_value'
        ] %}
        cast(null as double) as {{ name }},
        {% endfor %}
        advised_categories.commonest_share,
        cast(null as double) as zero_share,
        advised_categories.missing_share,
        cast(null as string) as correlated_feature,
        cast(null as double) as correlation,
        advised_categories.advice
    from advised_categories
    cross join int_feature_medians
    {%- endif %}
)

select * from final
order by feature_order
