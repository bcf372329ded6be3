{#- The value that the segments are formed from: the configured transform of a feature in its own unit. -#}
{% macro transformed(feature, value) -%}
    {%- if feature.transform == 'log1p' -%}
        ln(1 + cast({{ value }} as double))
    {%- else -%}
        cast({{ value }} as double)
    {%- endif -%}
{%- endmacro %}


{#- Back from the transformed value to the feature's own unit. -#}
{% macro in_own_unit(feature, value) -%}
    {%- if feature.transform == 'log1p' -%}
        exp({{ value }}) - 1
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{#- Rounded to three significant digits, or to a hundredth of the spread where that is finer: 2020.5 is not 2020 among years. -#}
{% macro rounded_bound(value, spread) -%}
    {%- set decimals = '2 - floor(log10(least(nullif(abs(' ~ value ~ '), 0), nullif(' ~ spread ~ ', 0))))' -%}
    case
        when {{ decimals }} < 0 then round(({{ value }}) / power(10, -({{ decimals }}))) * power(10, -({{ decimals }}))
        else round(({{ value }}) * power(10, {{ decimals }})) / power(10, {{ decimals }})
    end
{%- endmacro %}


{#- Whether a value lies above <bounds>_lower and up to <bounds>_upper; a missing one does where there is no bound. -#}
{% macro is_within(value, bounds, may_be_missing) -%}
    {%- if may_be_missing -%}
        coalesce({{ value }} > {{ bounds }}_lower and {{ value }} <= {{ bounds }}_upper, {{ bounds }}_lower = cast('-infinity' as double) and {{ bounds }}_upper = cast('infinity' as double))
    {%- else -%}
        {{ value }} > {{ bounds }}_lower and {{ value }} <= {{ bounds }}_upper
    {%- endif -%}
{%- endmacro %}


{#- The features of stg_customers, separated by commas: missing values filled in from int_feature_medians, then transformed. -#}
{% macro finished_features(features, prefix='') -%}
    {%- for feature in features -%}
        {%- set value = 'stg_customers.' ~ feature.name -%}
        {%- if feature.missing == 'median' -%}
            {%- set value = 'coalesce(' ~ value ~ ', int_feature_medians.' ~ feature.name ~ ')' -%}
        {%- endif -%}
        {{ transformed(feature, value) }} as {{ prefix }}{{ feature.name }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- The configured features in the order of the alphabet, as the SQL literal 'age (none), income (log1p)'. -#}
{% macro features_with_transforms() -%}
    {%- set features = [] -%}
    {%- for feature in segmentation().features -%}{%- do features.append(feature.name ~ ' (' ~ feature.transform ~ ')') -%}{%- endfor -%}
    {{ sql_texts([features | sort | join(', ')]) }}
{%- endmacro %}


{#- A percentile, interpolated between neighbours. -#}
{% macro percentile(value, share) -%}
    percentile_cont({{ share }}) within group (order by {{ value }})
{%- endmacro %}
