{#- The number that a column counts from its date to the reference date, NULL where there is no date from 1900 on. -#}
{% macro _counted(column, part) -%}
    {%- set moment = _moment(part, column.format, column.is_typed) -%}
    {%- set day = 'cast(' ~ moment ~ ' as date)' -%}
    {%- set last_day = "cast('" ~ fixed_reference_date() ~ "' as date)" -%}
    case
        when {{ moment }} >= {{ _first_moment() }} and {{ _is_a_day(part) }}
            then cast({{ days_between(day, last_day) if column['as'] == 'days_since' else completed_years(day, last_day) }} as double)
    end
{%- endmacro %}


{#-
    The moment in a text, NULL where there is none; as it is written, a zone not counted. Days and months are never guessed. Columns that hold no texts may
    have moments of their own, whatever the format of texts.
-#}
{% macro _moment(text, format, is_typed=false) %}
    {%- set trimmed = _trimmed(text) -%}
    {%- set iso = "try_cast(" ~ text ~ " as timestamp)" -%}
    {%- if format == 'iso' -%}
        coalesce({{ iso }}, {{ _moment_of_other_spelling(trimmed, format) }})
    {%- elif format == 'YYYYMMDD' -%}
        coalesce(
            {{ with_name('digits', trimmed, "case when strlen(digits) = 8 then try_strptime(digits, '%Y%m%d') end") }},
            {{ iso if is_typed else _moment_of_other_spelling(trimmed, format) }}
        )
    {%- else -%}
        {%- set order = '\\3-\\2-\\1' if format == 'day-first' else '\\3-\\1-\\2' -%}
        {#- Where the text does not begin with such a date, the empty alternative after the bar makes it one that cannot be cast. -#}
        coalesce(
            try_cast(regexp_replace({{ text }}, '^ *([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})|^', '{{ order }}') as timestamp),
            {{ iso if is_typed else _moment_of_other_spelling(trimmed, format) }}
        )
    {%- endif -%}
{% endmacro %}


{#-
    The moment in a trimmed text that is not spelt as usual: with a zone behind, the name of the month or of the day of the week in English, a year of two
    digits, or the hours of half a day. Points, slashes, commas and spaces between the parts of a date are as good as dashes.
-#}
{% macro _moment_of_other_spelling(text, format) -%}
    {%- set space = '[' ~ _spaces() ~ ']*' -%}
    {%- set time = '[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:' ~ space ~ '[ap][.]?m[.]?)?' -%}
    {%- set zone = '(?:(?:utc|gmt)?[-+−][0-9]{1,2}(?::?[0-9]{2})?|utc|gmt|z|[a-z]{3,4})' -%}
    {%- set weekday = '^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]*' ~ space ~ ')?' -%}
    {%- set plain = "regexp_replace(spelt, '(?i)" ~ weekday ~ "(.*?)(?:(" ~ time ~ ")" ~ space ~ zone ~ ")?$', '\\1\\2')" -%}
    {%- set halves = "regexp_replace(regexp_replace(" ~ plain ~ ", '(?i)" ~ space ~ "([ap])[.]?m[.]?$', '-\\1m'), '(?i)sept([^e]|$)', 'sep\\1')" -%}
    {%- set dashes = "regexp_replace(" ~ halves ~ ", '[./,−" ~ _spaces() ~ "-]+', '-', 'g')" -%}
    {%- set named = ['%d-%b-%Y', '%d-%B-%Y', '%b-%d-%Y', '%B-%d-%Y', '%Y-%b-%d'] -%}
    {%- set own = {
        'iso': ['%Y-%m-%d'], 'YYYYMMDD': ['%Y%m%d'],
        'day-first': ['%d-%m-%y', '%d-%m-%Y', '%d-%b-%y'], 'month-first': ['%m-%d-%y', '%m-%d-%Y', '%d-%b-%y', '%b-%d-%y'],
    }[format] -%}
    {%- set formats = [] -%}
    {%- for date in own + named -%}
        {%- for time in ['', '-%H:%M', '-%H:%M:%S', '-%H:%M:%S-%f', '-%I:%M-%p', '-%I:%M:%S-%p'] -%}
            {%- do formats.append(date ~ time) -%}
        {%- endfor -%}
    {%- endfor -%}
    {#- Blank fields and words are many in some files, and no such date is that short. -#}
    {%- set moment -%}
        case
            when strlen(spelt) > 5 and regexp_matches(spelt, '{{ '[0-9]{4}' if format in ['iso', 'YYYYMMDD'] else '[0-9]' }}')
                then coalesce({{ 'try_cast(' ~ plain ~ ' as timestamp), ' if format == 'iso' }}try_strptime({{ dashes }}, {{ sql_list(formats) }}))
        end
    {%- endset -%}
    {{ with_name('spelt', text, moment) }}
{%- endmacro %}


{#- DuckDB takes "epoch" and "infinity" for moments. -#}
{% macro _is_a_day(text) -%}regexp_matches({{ text }}, '[0-9]'){%- endmacro %}


{#- Why the moment in a row cannot be used, NULL where it can. -#}
{% macro _moment_reason(column, text, value) %}
    case
        when {{ text }} is null then '{{ column.name }} is missing'
        when {{ value }} is null or not isfinite({{ value }}) or not {{ _is_a_day(text) }} then '{{ column.name }} ' || {{ _what_is_no_date(column.format, text) }}
        when {{ value }} < {{ _first_moment() }} then '{{ column.name }} is before 1900'
        when {{ value }} >= {{ end_of_today() }} then '{{ column.name }} is in the future'
    end
{%- endmacro %}


{#- What to say of a text that is no date of the format, with the format that reads texts of this kind. -#}
{% macro _what_is_no_date(format, text) %}
    {%- set shapes = {
        'iso': ('[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*', 'with the year first: set format: iso'),
        'YYYYMMDD': ('[12][0-9]{7}', 'of eight digits: set format: YYYYMMDD'),
        'day-first': ('[0-9]{1,2}[./ -]([0-9]{1,2}|[A-Za-z]{3,9})[./ -]([0-9]{2}|[0-9]{4})([^0-9].*)?', 'with the year last: set format: day-first or month-first'),
    } -%}
    case
        {%- for other, (shape, words) in shapes.items() if other != format and not (other == 'day-first' and format == 'month-first') %}
        when regexp_full_match({{ text }}, '{{ shape }}') then 'is not a date of the format {{ format }}, but one {{ words }}'
        {%- endfor %}
        else 'is not a date'
    end
{% endmacro %}


{#- No shop has older orders on file; a year of two digits that was read as four lies before it. -#}
{% macro _first_moment() %}timestamp '1900-01-01'{% endmacro %}
