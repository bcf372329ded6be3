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


{#- Rounded to three significant digits. -#}
{% macro three_digits(value) -%}
    case when {{ value }} = 0 then 0 else round({{ value }}, 2 - cast(floor(log10(abs({{ value }}))) as integer)) end
{%- endmacro %}
