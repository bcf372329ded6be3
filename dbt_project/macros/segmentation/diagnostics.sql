{#-
    The scale beside its own unit that a feature is looked at on: the configured transform, or, where there is none, the logarithm that would pull in its
    longer tail, to see what a transform would do. The latter is an expression over the columns direction, origin and unit: it counts from the origin in
    units, in the direction of the tail. The former is one over the column power, the lambda of the model.
-#}
{% macro on_second_scale(feature, value) -%}
    {%- if feature.transform == 'none' -%}
        direction * ln(1 + direction * (cast({{ value }} as double) - origin) / unit)
    {%- else -%}
        {{ transformed(feature.transform, value, 'power') }}
    {%- endif -%}
{%- endmacro %}


{#- Back from there to the feature's own unit. -#}
{% macro from_second_scale(feature, value) -%}
    {%- if feature.transform == 'none' -%}
        origin + direction * unit * (exp(direction * ({{ value }})) - 1)
    {%- else -%}
        {{ in_own_unit(feature.transform, value, 'power') }}
    {%- endif -%}
{%- endmacro %}


{#- Both for whichever of the features a row is of, as its column `feature` says. -#}
{% macro on_second_scale_of(features, value) -%}
    case feature{% for feature in features %} when '{{ feature.name }}' then {{ on_second_scale(feature, value) }}{% endfor %} end
{%- endmacro %}


{% macro from_second_scale_of(features, value) -%}
    case feature{% for feature in features %} when '{{ feature.name }}' then {{ from_second_scale(feature, value) }}{% endfor %} end
{%- endmacro %}


{#- Sums of the first four powers of a value, as <name>_1 to <name>_4. -#}
{% macro power_sums(value, name) -%}
    {%- for power in range(1, 5) -%}
        sum({{ ([value] * power) | join(' * ') }}) as {{ name }}_{{ power }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- The second, third or fourth central moment from these sums; `n` is how many values they are sums of. -#}
{% macro central_moment(name, order, n) -%}
    {%- set one, two, three, four = name ~ '_1 / ' ~ n, name ~ '_2 / ' ~ n, name ~ '_3 / ' ~ n, name ~ '_4 / ' ~ n -%}
    {%- if order == 2 -%}
        {{ two }} - power({{ one }}, 2)
    {%- elif order == 3 -%}
        {{ three }} - 3 * ({{ one }}) * ({{ two }}) + 2 * power({{ one }}, 3)
    {%- else -%}
        {{ four }} - 4 * ({{ one }}) * ({{ three }}) + 6 * power({{ one }}, 2) * ({{ two }}) - 3 * power({{ one }}, 4)
    {%- endif -%}
{%- endmacro %}


{#-
    Whether a distribution is so far from a bell curve that a few customers decide what is near and what is far: a skewness beyond 2 or an excess kurtosis
    beyond 7 (West, Finch and Curran 1995, "Structural equation models with nonnormal variables").
-#}
{% macro is_heavy_tailed(skewness, kurtosis) -%}
    (abs({{ skewness }}) > 2 or {{ kurtosis }} > 7)
{%- endmacro %}


{#- Prints the advice of feature_diagnostics as warnings, what is said of two features once, and lets the build go on. -#}
{% macro warn_of_advice() %}
    {% if execute %}
        {% set query %}
            select advice
            from {{ this }}
            where advice is not null
            group by advice
            order by min(feature_order)
        {% endset %}
        {% for row in run_query(query) %}{% do exceptions.warn(row['advice']) %}{% endfor %}
    {% endif %}
{% endmacro %}


{#- The places of each two of so many things, from 1. -#}
{% macro pairs_of(n) %}
    {% set pairs = [] %}
    {% for place in range(1, n) %}
        {% for other in range(place + 1, n + 1) %}{% do pairs.append((place, other)) %}{% endfor %}
    {% endfor %}
    {% do return(pairs) %}
{% endmacro %}


{#- A share in words, to a tenth of a percent. -#}
{% macro in_percent(share) -%}{{ plain_number(rounded('100 * (' ~ share ~ ')', 1)) }} || ' %'{%- endmacro %}
