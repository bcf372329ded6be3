{#-
    The number in a field, NULL where there is none, written as the column says. Numbers that are plain are read first, with one cast; what cannot be
    read so is looked at piece by piece. Neither separator is guessed.
-#}
{% macro _number(column, part) -%}
    {%- set bare = _bare_number(column, _trimmed(part)) -%}
    {%- if column['as'] -%}
        {{ _counted(column, part) }}
    {%- elif column.is_typed -%}
        coalesce(try_cast({{ part }} as double), case {{ part }} when 'true' then 1 when 'false' then 0 end)
    {%- elif column.format == 'yes_no' -%}
        cast({{ _yes_or_no(part) }} as double)
    {%- elif column.format == 'percent' -%}
        try_cast({{ bare }} as double) / 100
    {%- elif column.decimal_separator == ',' -%}
        coalesce(
            case when not contains({{ part }}, '_') and not contains({{ part }}, '.') then try_cast(replace({{ part }}, ',', '.') as double) end,
            try_cast({{ bare }} as double)
        )
    {%- else -%}
        {#- DuckDB reads 1_000 as a thousand. -#}
        case when not contains({{ part }}, '_') then coalesce(try_cast({{ part }} as double), try_cast({{ bare }} as double)) end
    {%- endif -%}
{%- endmacro %}


{#-
    A trimmed text as the cast to a number takes it: without currency, brackets, percent sign and the separators of thousands that the column declares,
    and with a point. What is not written so is left with something that no number has.
-#}
{% macro _bare_number(column, text) -%}
    {%- set number = _without_thousands(column, _without_signs(column, text)) -%}
    {%- if column.decimal_separator == ',' -%}
        translate({{ number }}, '−,._', '-.xx')
    {%- else -%}
        translate({{ number }}, '−_', '-x')
    {%- endif -%}
{%- endmacro %}


{#- A trimmed text without the signs that the column declares: those of its format, and the currency, which stands before or behind. -#}
{% macro _without_signs(column, text) -%}
    {%- set space = '[' ~ _spaces() ~ ']*' -%}
    {%- if column.format == 'accounting' -%}
        {#- In brackets, or as some programs print it, with the minus behind. -#}
        {%- set text = "regexp_replace(" ~ text ~ ", '^(.*?)[(]" ~ space ~ "([^()−-]+?)" ~ space ~ "[)](.*)$', '-\\1\\2\\3')" -%}
        {%- set text = "regexp_replace(" ~ text ~ ", '^([^-−]*[0-9])" ~ space ~ "[-−]$', '-\\1')" -%}
    {%- elif column.format == 'percent' -%}
        {%- set text = "regexp_extract(" ~ text ~ ", '^(.*?)" ~ space ~ "%$', 1)" -%}
    {%- endif -%}
    {%- if column.currency -%}
        {%- set currency = modules.re.escape(column.currency) | replace("'", "''") -%}
        {%- set before = '^([-−+]?)' ~ space ~ currency ~ space ~ '([-−+]?.*)$' -%}
        {%- set behind = '^(.*?)' ~ space ~ currency ~ space ~ '$' -%}
        {%- set text = "regexp_replace(" ~ text ~ ", '(?i)" ~ before ~ "|" ~ behind ~ "', '\\1\\2\\3')" -%}
    {%- endif -%}
    {{ text }}
{%- endmacro %}


{#-
    A text without its separators of thousands, blank where they do not stand before groups of three digits; before the last group they may stand
    before groups of two, as in India. 0,731 is no such number.
-#}
{% macro _without_thousands(column, text) -%}
    {%- if column.thousands_separator -%}
        {%- set separator = {' ': '[' ~ _spaces() ~ ']', "'": "[''’]"}.get(column.thousands_separator, '[' ~ column.thousands_separator ~ ']') -%}
        {%- set groups = '[1-9][0-9]{0,2}(?:' ~ separator ~ '[0-9]{3})+|[1-9][0-9]?(?:' ~ separator ~ '[0-9]{2})*' ~ separator ~ '[0-9]{3}' -%}
        {%- set number = '^[-−+]?(?:' ~ groups ~ '|[0-9]*)(?:[' ~ (column.decimal_separator or '.') ~ '][0-9]*)?(?:[eE][-+]?[0-9]+)?$' -%}
        regexp_replace(regexp_extract({{ text }}, '{{ number }}', 0), '{{ separator }}', '', 'g')
    {%- else -%}
        {{ text }}
    {%- endif -%}
{%- endmacro %}


{#- 1 for yes and 0 for no, by words that mean the one in no language and the other in none; NULL for others. -#}
{% macro _yes_or_no(text) -%}
    {%- set yes = ['1', 'yes', 'y', 'true', 't', 'on', 'ja', 'j', 'oui', 'si', 'sí', 'sì', 'sim', 'tak', 'wahr', 'vrai'] -%}
    {%- set no = ['0', 'no', 'n', 'false', 'f', 'off', 'nein', 'nee', 'nej', 'nei', 'non', 'não', 'nie', 'falsch', 'faux'] -%}
    case
        when list_contains({{ sql_list(yes) }}, lower({{ _trimmed(text) }})) then 1
        when list_contains({{ sql_list(no) }}, lower({{ _trimmed(text) }})) then 0
    end
{%- endmacro %}


{#-
    The size from which on a number is refused. Squares are infinite from 1e154 on; below this, so are neither their sums over all customers nor the
    distances of values like that under a model of very small ones.
-#}
{% macro too_large() %}1e100{% endmacro %}


{#- Why the value of a feature cannot be used, NULL where it can. -#}
{% macro _feature_reason(feature, text, value) %}
    {%- set lowest, highest = feature.range -%}
    case
        when {{ text }} is null then {{ "'" ~ feature.name ~ " is missing'" if feature.missing == 'reject' else 'null' }}
        {%- if feature['as'] %}
        when {{ _moment(text, feature.format) }} < {{ _first_moment() }} and {{ _is_a_day(text) }} then '{{ feature.name }} is before 1900'
        {%- endif %}
        when {{ value }} is null then '{{ feature.name }} ' || {{ _what_is_no_number(feature, text) }}
        when not isfinite({{ value }}) then '{{ feature.name }} is not a finite number'
        {%- if lowest is not none %}
        when {{ value }} < {{ lowest }} then '{{ feature.name }} is {{ 'after ' ~ fixed_reference_date() if feature['as'] and lowest == 0 else 'below ' ~ lowest }}'
        {%- endif %}
        {%- if highest is not none %}
        when {{ value }} > {{ highest }} then '{{ feature.name }} is above {{ highest }}'
        {%- endif %}
        {%- if feature.data_type == 'integer' %}
        when {{ value }} <> floor({{ value }}) then '{{ feature.name }} is not a whole number'
        when {{ value }} is not null and try_cast({{ value }} as integer) is null then '{{ feature.name }} is beyond the largest integer; use data_type double'
        {%- endif %}
        when abs({{ value }}) >= {{ too_large() }} then '{{ feature.name }} is too large: from {{ too_large() }} on, sums of squares become infinite'
    end
{%- endmacro %}


{#- What to say of a text that the column does not read, with the setting that reads texts of this kind. -#}
{% macro _what_is_no_number(feature, text) %}
    {%- if feature['as'] -%}
        {{ _what_is_no_date(feature.format, text) }}
    {%- elif feature.format == 'yes_no' -%}
        'is neither yes nor no'
    {%- else -%}
        {%- set digits = "regexp_matches(" ~ text ~ ", '[0-9]')" -%}
        case
            when regexp_matches({{ text }}, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') or regexp_matches({{ text }}, '^[0-9]{1,2}([./-])[0-9]{1,2}[./-][0-9]{4}')
                then 'is not a number, but a date: set its format, and as: days_since or age_years'
            when regexp_full_match(lower({{ text }}), 'yes|no|y|n|true|false|t|f|on|off|ja|nein|oui|non|s[iíì]') then 'is not a number, but yes or no: set format: yes_no'
            {%- if feature.format == 'percent' %}
            when {{ digits }} and not contains({{ text }}, '%') then 'has no percent sign, so it may be a share or a percentage: set format: number, or mend the file'
            {%- else %}
            when {{ digits }} and contains({{ text }}, '%') then 'is not a number, but has a percent sign: set format: percent'
            {%- endif %}
            {%- if feature.format != 'accounting' %}
            when {{ digits }} and regexp_matches({{ text }}, '[(].*[0-9].*[)]|[0-9][-−]$') then 'is not a number, but negative as in accounts: set format: accounting'
            {%- endif %}
            when
                {{ digits }} and regexp_matches({{ text }}, '^[-−+(]?[{{ _spaces() }}]*(\p{Sc}|[A-Z]{3}|kr|zł|Kč|Fr|Rs)|(\p{Sc}|[A-Z]{3}|kr|zł|Kč|Fr|Rs)[.)]?$')
                {%- if feature.currency %}
                and not contains(upper({{ text }}), upper({{ sql_texts([feature.currency]) }}))
                {%- endif %}
                then '{{ 'is in another currency than ' ~ feature.currency | replace("'", "''") if feature.currency else 'is not a number, but has a currency: set currency' }}'
            {%- set separators = {} %}
            {%- if feature.thousands_separator != ' ' %}{% do separators.update({'[' ~ _spaces() ~ ']': 'spaces'}) %}{% endif %}
            {%- if feature.thousands_separator != "'" %}{% do separators.update({"[''’]": 'apostrophes'}) %}{% endif %}
            {%- for separator, word in separators.items() %}
            when regexp_matches({{ text }}, '[0-9]{{ separator }}[0-9]{3}([^0-9]|$)') then 'is not a number, but has {{ word }} between its digits: set thousands_separator'
            {%- endfor %}
            {%- for mark, words in {',': 'a comma', '.': 'points'}.items() if mark not in [feature.decimal_separator, feature.thousands_separator] %}
            when {{ digits }} and regexp_full_match({{ text }}, '[-−+]?[0-9.,]*[{{ mark }}][0-9.,]+')
                then 'is not a number, but has {{ words }}: set {{ 'thousands_separator' if feature.decimal_separator or mark == '.' else 'decimal_separator or thousands_separator' }}'
            {%- endfor %}
            when {{ digits }} and regexp_full_match({{ text }}, '[-−+]?[0-9.,]*[.,][0-9.,]*') then 'is not a number, as its digits are not grouped by three'
            else 'is not a number'
        end
    {%- endif -%}
{% endmacro %}


{#- Why a yes or no cannot be used, NULL where it can. -#}
{% macro _flag_reason(column, text, value) %}
    case when {{ text }} is not null and {{ value }} is null then '{{ column.name }} is neither yes nor no' end
{%- endmacro %}
