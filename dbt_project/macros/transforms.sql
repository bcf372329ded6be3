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
    round({{ value }}, 2 - cast(floor(log10(least(nullif(abs({{ value }}), 0), nullif({{ spread }}, 0)))) as integer))
{%- endmacro %}


{#- The features of stg_customers, separated by commas: missing values filled in from the table medians, then transformed. -#}
{% macro finished_features(features) -%}
    {%- for feature in features -%}
        {%- set value = 'stg_customers.' ~ feature.name -%}
        {%- if feature.missing == 'median' -%}
            {%- set value = 'coalesce(' ~ value ~ ', medians.' ~ feature.name ~ ')' -%}
        {%- endif -%}
        {{ transformed(feature, value) }} as {{ feature.name }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- SQL literals such as 'age (none)', separated by commas. -#}
{% macro features_with_transforms() -%}
    {%- for feature in segmentation().features -%}
        '{{ feature.name }} ({{ feature.transform }})'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
