{#- The trimmed text of a field, NULL where it is blank; but for attributes, the usual spellings of "no value" are blank too. -#}
{% macro field_text(field, is_attribute) %}
    {%- set trimmed = "trim(" ~ field ~ ", ' ' || chr(9))" -%}
    {%- if is_attribute -%}
        nullif({{ trimmed }}, '')
    {%- else -%}
        case when lower({{ trimmed }}) not in ('', 'na', 'n/a', 'null', 'none') then {{ trimmed }} end
    {%- endif -%}
{% endmacro %}


{#- The number in a text, NULL where there is none. DuckDB reads 1_000 as a thousand and a German reader 1.000; neither is guessed. -#}
{% macro number(text, decimal_separator) %}
    {%- if decimal_separator == ',' -%}
        case when not contains({{ text }}, '_') and not contains({{ text }}, '.') then try_cast(replace({{ text }}, ',', '.') as double) end
    {%- else -%}
        case when not contains({{ text }}, '_') then try_cast({{ text }} as double) end
    {%- endif -%}
{% endmacro %}


{#-
    Why the key of a row cannot be used, NULL where it can. A cast to a whole number rounds, so a fraction is looked for: in a
    decimal, because a double rounds it away from seventeen digits on.
-#}
{% macro key_reason(key, text) %}
    case
        when {{ text }} is null then '{{ key.name }} is missing'
        {%- if key.data_type == 'bigint' %}
        when
            try_cast({{ text }} as bigint) is null
            or contains({{ text }}, '_')
            or (
                regexp_matches({{ text }}, '[.eE]')
                and coalesce(try_cast({{ text }} as decimal(38, 18)) % 1 <> 0, true)
            )
            then '{{ key.name }} is not a whole number'
        {%- endif %}
    end
{%- endmacro %}


{#- Why the value of a feature cannot be used, NULL where it can. -#}
{% macro feature_reason(feature, text, value) %}
    case
        {%- if feature.missing == 'reject' %}
        when {{ text }} is null then '{{ feature.name }} is missing'
        {%- endif %}
        when {{ text }} is not null and {{ value }} is null then '{{ feature.name }} is not a number'
        when not isfinite({{ value }}) then '{{ feature.name }} is not a finite number'
        {%- if feature.range[0] is not none %}
        when {{ value }} < {{ feature.range[0] }} then '{{ feature.name }} is below {{ feature.range[0] }}'
        {%- endif %}
        {%- if feature.range[1] is not none %}
        when {{ value }} > {{ feature.range[1] }} then '{{ feature.name }} is above {{ feature.range[1] }}'
        {%- endif %}
        {%- if feature.data_type == 'integer' %}
        when {{ value }} <> floor({{ value }}) then '{{ feature.name }} is not a whole number'
        when {{ value }} is not null and try_cast({{ value }} as integer) is null then '{{ feature.name }} is beyond the largest integer; use data_type double'
        {%- endif %}
    end
{%- endmacro %}


{#- SQL literals, separated by commas; SQL text cannot hold a zero byte. -#}
{% macro sql_texts(texts) %}'{{ texts | map('replace', "'", "''") | map('replace', '\0', '') | join("', '") }}'{% endmacro %}


{#- Every reason why a row is refused, in one text; NULL where it is accepted. -#}
{% macro row_reasons(settings) %}
    {%- set reasons = [key_reason(settings.key, settings.key.name)] -%}
    {%- for feature in settings.features -%}
        {%- do reasons.append(feature_reason(feature, feature.name, '_number_' ~ feature.name)) -%}
    {%- endfor -%}
    nullif(concat_ws('; ', {{ reasons | join(', ') }}), '')
{%- endmacro %}


{% macro json_paths(columns, keys) %}
    {%- set paths = [] -%}
    {%- for column in columns -%}
        {%- do paths.append('$."' ~ keys[column.name] ~ '"') -%}
    {%- endfor -%}
    [{{ sql_texts(paths) }}]
{%- endmacro %}
