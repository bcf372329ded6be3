{%- set registry = as_left_by_last_build('segmentation_fits') -%}
{%- set features = segmentation().features -%}
-- Today's customers against those that the model of the last build was fitted on; empty where there is no such model.
with

int_customer_features as (
    select * from {{ ref('int_customer_features') }}
),

{% if registry %}
latest as (
    select
        model_version,
        unnest(bins) as bin
    from {{ registry }}
    qualify model_version = max(model_version) over ()
),

expected as (
    select
        model_version,
        bin['feature'] as feature,
        bin['lowest'] as lowest,
        bin['highest'] as highest,
        bin['upper_edges'] as upper_edges,
        bin['shares'] as shares
    from latest
),
{% else %}
expected as (
    select
        null::bigint as model_version,
        null::varchar as feature,
        null::double as lowest,
        null::double as highest,
        null::double[] as upper_edges,
        null::double[] as shares
    where false
),
{% endif %}

measured as (
    {% for feature in features %}
    select
        expected.model_version,
        expected.feature,
        expected.shares,
        {{ bin_shares('int_customer_features.' ~ feature.name, 'expected.upper_edges') }} as shares_today,
        count(*) filter (
            where int_customer_features.{{ feature.name }} not between expected.lowest and expected.highest
        ) / count(*) as unseen_share
    from int_customer_features
    inner join expected on expected.feature = '{{ feature.name }}'
    group by all
    {{ "union all" if not loop.last }}
    {% endfor %}
),

final as (
    select
        model_version,
        feature,
        {{ stability_index('shares_today', 'shares') }} as psi,
        unseen_share
    from measured
)

select * from final
