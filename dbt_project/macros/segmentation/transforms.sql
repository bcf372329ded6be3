{#- A value in the feature's own unit, or what a model has for a missing one. -#}
{% macro filled_in(value, fill_value) -%}
    {%- if fill_value == 'null' -%}
        cast({{ value }} as double)
    {%- else -%}
        coalesce(cast({{ value }} as double), {{ fill_value }})
    {%- endif -%}
{%- endmacro %}


{#- The value that segments are formed from, of one in the feature's own unit; `power` is an expression for the lambda of yeo-johnson. -#}
{% macro transformed(transform, value, power='null') -%}
    {%- if transform == 'log1p' -%}
        ln(1 + {{ value }})
    {%- elif transform == 'yeo-johnson' -%}
        {#- (exp(p ln(1 + |x|)) - 1) / p with the sign of x. The sine keeps the digits that exp(y) - 1 loses where y is small. -#}
        {%- set p, logarithm = _power(value, power), 'ln(1 + abs(' ~ value ~ '))' -%}
        sign({{ value }}) * case
            when {{ p }} = 0 then {{ logarithm }}
            else exp({{ p }} / 2 * {{ logarithm }}) * sinh({{ p }} / 2 * {{ logarithm }}) / ({{ p }} / 2)
        end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{#- Back to the feature's own unit; infinite where no value has such a transform. -#}
{% macro in_own_unit(transform, value, power='null') -%}
    {%- if transform == 'log1p' -%}
        exp({{ value }}) - 1
    {%- elif transform == 'yeo-johnson' -%}
        {%- set p = _power(value, power) -%}
        sign({{ value }}) * case
            when abs({{ p }}) < 1e-9 then exp(abs({{ value }})) - 1
            when 1 + {{ p }} * abs({{ value }}) <= 0 then cast('infinity' as double)
            else power(1 + {{ p }} * abs({{ value }}), 1 / {{ p }}) - 1
        end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{#- The same where an expression names the transform. -#}
{% macro in_own_unit_of(transform, value, power) -%}
    case {{ transform }}
        {%- for name in ['log1p', 'yeo-johnson'] %}
        when '{{ name }}' then {{ in_own_unit(name, value, power) }}
        {%- endfor %}
        else {{ value }}
    end
{%- endmacro %}


{#- Below 0 the transform of Yeo and Johnson is the mirror image of another one's. -#}
{% macro _power(value, power) -%}
    (case when {{ value }} >= 0 then {{ power }} else 2 - {{ power }} end)
{%- endmacro %}


{#-
    Rounded to three significant digits, or to a hundredth of the spread where that is finer: 2020.5 is not 2020 among years. As it is where a number has
    no digits finer than that, and NULL where it is infinite, which bounds nothing.
-#}
{% macro rounded_bound(value, spread) -%}
    {%- set decimals = '2 - floor(log10(least(nullif(abs(' ~ value ~ '), 0), nullif(' ~ spread ~ ', 0))))' -%}
    case
        when abs({{ value }}) = cast('infinity' as double) then null
        when abs({{ value }}) * power(10, {{ decimals }}) >= 1e15 then {{ value }}
        when {{ decimals }} < 0 then round(({{ value }}) / power(10, -({{ decimals }}))) * power(10, -({{ decimals }}))
        else round(({{ value }}) * power(10, {{ decimals }})) / power(10, {{ decimals }})
    end
{%- endmacro %}


{#-
    Rounded to so many decimals, half away from zero. The function round() alone does that otherwise on each engine: 2.675 is 2.67 for one and 2.68 for the
    other.
-#}
{% macro rounded(value, decimals) -%}(round(({{ value }}) * {{ 10 ** decimals }}) / {{ 10 ** decimals }}){%- endmacro %}


{#- Whether a value lies above <bounds>_lower and up to <bounds>_upper; a missing one does where there is no bound. -#}
{% macro is_within(value, bounds, may_be_missing) -%}
    {%- if may_be_missing -%}
        coalesce({{ value }} > {{ bounds }}_lower and {{ value }} <= {{ bounds }}_upper, {{ bounds }}_lower = cast('-infinity' as double) and {{ bounds }}_upper = cast('infinity' as double))
    {%- else -%}
        {{ value }} > {{ bounds }}_lower and {{ value }} <= {{ bounds }}_upper
    {%- endif -%}
{%- endmacro %}


{#- A column of a model is a number or, as in region=north, a level of a category: the feature that it is of, and the level. -#}
{% macro feature_of(column) -%}split_part({{ column }}, '=', 1){%- endmacro %}


{% macro level_of(column) -%}substr({{ column }}, length({{ feature_of(column) }}) + 2){%- endmacro %}


{#- The level of a value, as columns of models name it. -#}
{% macro level_in(value) -%}coalesce(cast({{ value }} as string), '{{ missing_level() }}'){%- endmacro %}


{% macro missing_level() %}(missing){% endmacro %}


{#- Of what a model has no column for. -#}
{% macro other_level() %}(other){% endmacro %}


{#- 1 where a row is of the level that a column of a model stands for, and 0 where not; `columns` are all of that model. NULL where no column is for NULL. -#}
{% macro is_of_level(column, columns) -%}
    {%- set feature, level = column.split('=', 1) -%}
    {%- set levels = [] -%}
    {%- for other in columns if other.startswith(feature ~ '=') -%}{%- do levels.append(other.split('=', 1)[1]) -%}{%- endfor -%}
    {%- set value = level_in(feature) if missing_level() in levels else 'cast(' ~ feature ~ ' as string)' -%}
    case
        when {{ value }} {{ 'not in (' ~ sql_texts(levels | reject('equalto', level) | list) ~ ')' if level == other_level() else '= ' ~ sql_texts([level]) }} then 1
        when {{ value }} is not null then 0
    end
{%- endmacro %}


{#- The centre of a segment from the mean of all, in standard deviations of the feature, whatever it weighs: a column of segment_centroids. -#}
{% macro centroid_in_deviations() -%}
    segment_centroids.centroid_scaled{{ ' / segment_centroids.weight' if segmentation().has_weights }}
{%- endmacro %}


{#- A share that rounding has moved out of 0 to 1. -#}
{% macro as_share(value) -%}least(greatest({{ value }}, 0), 1){%- endmacro %}


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
