{#-
    CTEs that end in `name`: the records of one layout, typed, with what is wrong with each. They begin with the CTE `records` of source_file, raw_record
    and _parts, the list of its fields. They hold the columns `carried` and source_file, the configured columns (NULL where the text cannot be cast or the
    layout has no such column), reasons (NULL where the record can be used), is_blank, and raw_record, NULL where it is not needed again; `keeps_text` is
    another condition for it to be kept.

    Nearly all records can be used, so that is asked first, as cheaply as can be; only the others are asked what is wrong.
-#}
{% macro checked_records(name, records, table, layout, carried=[], keeps_text=none) %}
    {%- set parts, columns = _parts_of(layout, table.key), _columns_of(layout, table.key) -%}
    {%- set keeps_text = keeps_text or _may_be_needed_again(layout) -%}
{{ name }}_values as (
    select
        *
        {%- for column in columns %},
        {{ _value_of(column, parts[column.name], table.source.decimal_separator, layout) }} as _value_{{ column.name }}
        {%- endfor %}
    from {{ records }}
),

{{ name }}_usable as (
    select
        *,
        coalesce(
            {{ 'len(_parts) between ' ~ layout.n_needed ~ ' and ' ~ layout.n_fields if layout.delimiter else 'true' }}
            {%- for column in layout.columns if column.may_be_nested %}
            and {{ _json_type_of(column, layout) }} is distinct from 'OBJECT' and {{ _json_type_of(column, layout) }} is distinct from 'ARRAY'
            {%- endfor %}
            {%- for column in columns if column.kind != 'attribute' %}
            and {{ _is_plainly_usable(column, parts[column.name]) }}
            {%- endfor %},
            false
        ) as _is_usable
    from {{ name }}_values
),

{{ name }}_blank as (
    select
        *,
        {{ "case when _is_usable then false else coalesce(trim(raw_record), '') = '' end" if layout.delimiter else 'false' }} as is_blank
    from {{ name }}_usable
),

{{ name }}_reasons as (
    select
        *,
        case
            when _is_usable or is_blank then null
            {%- if layout.delimiter %}
            -- The fields of a record that is laid out wrongly cannot be told apart, so nothing else is said about it.
            {%- if layout.delimiter == 'json' %}
            {%- if layout.repeats %}
            when _parts is null and {{ is_json_object('raw_record') }} then 'a key stands twice in the JSON object'
            {%- endif %}
            when _parts is null then 'the line is not a JSON object'
            {%- for column in layout.columns if column.may_be_nested %}
            when {{ _json_type_of(column, layout) }} in ('OBJECT', 'ARRAY') then '{{ column.name }} is a list or an object'
            {%- endfor %}
            {%- else %}
            when _parts is null then 'quotes are not balanced'
            when len(_parts) < {{ layout.n_needed }} then 'too few fields'
            when len(_parts) > {{ layout.n_fields }} then 'too many fields'
            {%- endif %}
            {%- endif %}
            else {{ _record_reasons(columns, parts) }}
        end as reasons
    from {{ name }}_blank
),

{{ name }} as (
    select
        {% for column in carried + ['source_file'] %}
        {{ column }},
        {% endfor %}
        {% for column in table.columns %}
        {% if column.name not in parts %}
        cast(null as {{ column.data_type }}) as {{ column.name }},
        {% else %}
        {{ 'try_cast(_value_' ~ column.name ~ ' as ' ~ column.data_type ~ ')' if column.kind == 'feature' else '_value_' ~ column.name }}
            as {{ column.name }},
        {% endif %}
        {% endfor %}
        reasons,
        is_blank,
        case when {{ keeps_text }} then cast({{ 'raw_record' if layout.delimiter else 'to_json(raw_record)' }} as varchar) end as raw_record
    from {{ name }}_reasons
)
{%- endmacro %}


{#- {column: an expression for the text of its field}. A key of several columns has them joined, as NULL where one of them is missing. -#}
{% macro _parts_of(layout, key) %}
    {% set parts = {} %}
    {% for name, place in layout.fields.items() %}
        {% do parts.update({name: '_parts[' ~ (loop.index if layout.delimiter == 'json' else place) ~ ']' if layout.delimiter else _text_of(name)}) %}
    {% endfor %}
    {% if key.columns %}
        {% set texts = [] %}
        {% for column in key.columns %}{% do texts.append(_field_text(parts[column.name], false)) %}{% endfor %}
        {% do parts.update({key.name: '(' ~ texts | join(" || '|' || ") ~ ')'}) %}
    {% endif %}
    {% if key.case == 'fold' %}{% do parts.update({key.name: 'lower(' ~ parts[key.name] ~ ')'}) %}{% endif %}
    {% do return(parts) %}
{% endmacro %}


{#- The configured columns that a layout has. -#}
{% macro _columns_of(layout, key) %}
    {% do return(([key] if key.columns else []) + layout.columns | rejectattr('kind', 'equalto', 'key_part') | list) %}
{% endmacro %}


{#-
    Which text is kept: that of a record that cannot be used, of a blank line, which may be part of a field, and of a line with an odd number of quotes,
    which may end a field that others begin, though it looks like a usable record: 'lines",30,40,50'. And of orders, that of a line that will be left out
    for its word, or may contradict others of its order.
-#}
{% macro _may_be_needed_again(layout) -%}
    reasons is not null or is_blank
    {%- for column in layout.columns if column.words %}
    or coalesce(not {{ is_among('_value_' ~ column.name, column.words) }}, true)
    {%- endfor %}
    {{- ' or true' if 'order' in layout.columns | map(attribute='of', default=none) }}
    {%- if layout.delimiter not in [none, 'json'] %}
    or (contains(raw_record, '"') and (length(raw_record) - length(replace(raw_record, '"', ''))) % 2 = 1)
    {%- endif %}
{%- endmacro %}


{#-
    The value in a field of a layout. What is typed is read as what it is, whatever is declared for texts; in a column of JSON some values may be texts, and
    others not. Only in a file of texts a date has no other form than the one that is declared.
-#}
{% macro _value_of(column, part, decimal_separator, layout) -%}
    {%- set has_iso_dates = layout.delimiter in [none, 'json'] -%}
    {%- set value = _raw_value(column, part, '.' if column.is_typed else decimal_separator, has_iso_dates) -%}
    {%- if column.is_mixed -%}
        case
            when {{ _json_type_of(column, layout) }} = 'VARCHAR' then {{ value }}
            else {{ _raw_value(dict(column, is_typed=true), part, '.', has_iso_dates) }}
        end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{% macro _json_type_of(column, layout) -%}_types[{{ (layout.fields.keys() | list).index(column.name) + 1 }}]{%- endmacro %}


{#- The value in a field: the number of a feature, the key as it is typed, the text of an attribute, a moment, a yes or no. -#}
{% macro _raw_value(column, part, decimal_separator, is_parquet) -%}
    {%- if column.kind == 'feature' -%}
        {{ _number(part, decimal_separator) }}
    {%- elif column.kind == 'moment' -%}
        {{ _moment(part, column.format, is_parquet) }}
    {%- elif column.kind == 'flag' -%}
        try_cast({{ _field_text(part, false) }} as boolean)
    {%- elif column.data_type == 'varchar' -%}
        {{ _field_text(part, column.kind == 'attribute') }}
    {%- else -%}
        try_cast({{ part }} as {{ column.data_type }})
    {%- endif -%}
{%- endmacro %}


{#-
    A cheap test that only usable values pass. It fails for a few usable ones, too, such as a missing value that is to be filled in; the exact and dearer
    test of _record_reasons then decides.
-#}
{% macro _is_plainly_usable(column, part) -%}
    {%- set value = '_value_' ~ column.name -%}
    {%- if column.kind == 'moment' -%}
        {#- 'epoch' and 'infinity' are moments to DuckDB: these two, by the way it casts. -#}
        {{ value }} > {{ _first_moment() }} and {{ value }} < {{ end_of_today() }} and {{ value }} <> timestamp '1970-01-01'
    {%- elif column.kind == 'flag' -%}
        {{ value }} is not null
    {%- elif column.kind == 'feature' -%}
        abs({{ value }}) < {{ too_large() }}
        {%- if column.range[0] is not none %} and {{ value }} >= {{ column.range[0] }}{% endif %}
        {%- if column.range[1] is not none %} and {{ value }} <= {{ column.range[1] }}{% endif %}
        {%- if column.data_type == 'integer' %} and {{ value }} = floor({{ value }}) and abs({{ value }}) < 2147483648{% endif %}
    {%- elif column.data_type == 'varchar' -%}
        {{ value }} is not null{{ ' and ' ~ _joins_its_columns(column, value) if column.columns }}
    {%- else -%}
        cast({{ value }} as varchar) = {{ part }}
    {%- endif -%}
{%- endmacro %}


{#- Every reason why a record is refused, in one text; NULL where it is accepted. -#}
{% macro _record_reasons(columns, parts) %}
    {%- set reasons = [] -%}
    {%- for column in columns if column.kind == 'key' -%}
        {%- do reasons.append(_key_reason(column, _field_text(parts[column.name], false))) -%}
    {%- endfor -%}
    {%- for column in columns if column.kind == 'moment' -%}
        {%- do reasons.append(_moment_reason(column, _field_text(parts[column.name], false), '_value_' ~ column.name)) -%}
    {%- endfor -%}
    {%- for column in columns if column.kind == 'flag' -%}
        {%- do reasons.append(_flag_reason(column, _field_text(parts[column.name], false), '_value_' ~ column.name)) -%}
    {%- endfor -%}
    {%- for column in columns if column.kind == 'feature' -%}
        {%- do reasons.append(_feature_reason(column, _field_text(parts[column.name], false), '_value_' ~ column.name)) -%}
    {%- endfor -%}
    nullif(concat_ws('; ', {{ reasons | join(', ') }}), '')
{%- endmacro %}


{#-
    The trimmed text of a field, NULL where it is blank. The usual spellings of "no value" are blank, too, except in attributes, where they are words like
    others. Two things are spelt as they are for speed: DuckDB makes a join of an IN with five constants, and computes it for all rows, whatever CASE
    it stands in; and to look for a space or tab costs less than to trim.
-#}
{% macro _field_text(field, is_attribute) %}
    {%- set trimmed = "trim(" ~ field ~ ", ' ' || chr(9))" -%}
    {%- if is_attribute -%}
        nullif(case when contains({{ field }}, ' ') or contains({{ field }}, chr(9)) then {{ trimmed }} else {{ field }} end, '')
    {%- else -%}
        case when not list_contains(['', 'na', 'n/a', 'null', 'none'], lower({{ trimmed }})) then {{ trimmed }} end
    {%- endif -%}
{% endmacro %}


{#- The number in a text, NULL where there is none. DuckDB reads 1_000 as a thousand and a German reader 1.000; neither is guessed. -#}
{% macro _number(text, decimal_separator) %}
    {%- if decimal_separator == ',' -%}
        case when not contains({{ text }}, '_') and not contains({{ text }}, '.') then try_cast(replace({{ text }}, ',', '.') as double) end
    {%- else -%}
        case when not contains({{ text }}, '_') then try_cast({{ text }} as double) end
    {%- endif -%}
{% endmacro %}


{#-
    Why the key of a row cannot be used, NULL where it can. Only digits count: DuckDB would read 0x1F and 0b11, too, and 1.2E+11, which is what a
    spreadsheet leaves of a longer number. A cast to a whole number rounds, so no digit but 0 may stand behind the point.
-#}
{% macro _key_reason(key, text) %}
    case
        when {{ text }} is null then '{{ key.name }} is missing'
        {%- if key.columns %}
        when not {{ _joins_its_columns(key, text) }} then '{{ key.name }} has the character | in one of its columns, which joins them'
        {%- endif %}
        {%- if key.data_type == 'bigint' %}
        when
            try_cast({{ text }} as bigint) is null
            or not regexp_full_match({{ text }}, '[+-]?[0-9]+([.]0*)?')
            then '{{ key.name }} is not a whole number'
        {%- endif %}
    end
{%- endmacro %}


{#- Whether the columns of a key can be told apart in it. -#}
{% macro _joins_its_columns(key, text) -%}
    length({{ text }}) - length(replace({{ text }}, '|', '')) = {{ key.columns | length - 1 }}
{%- endmacro %}


{#-
    The size from which on a number is refused. Squares are infinite from 1e154 on; below this, so are neither their sums over all customers nor the
    distances of values like that under a model of very small ones.
-#}
{% macro too_large() %}1e100{% endmacro %}


{#- Why the value of a feature cannot be used, NULL where it can. -#}
{% macro _feature_reason(feature, text, value) %}
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
        when abs({{ value }}) >= {{ too_large() }} then '{{ feature.name }} is too large: from {{ too_large() }} on, sums of squares become infinite'
    end
{%- endmacro %}


{#-
    The moment in a text, NULL where there is none; as it is written, a zone not counted. Days and months are never guessed. Parquet may hold
    moments of its own, whatever the format of texts.
-#}
{% macro _moment(text, format, is_parquet=false) %}
    {%- set trimmed = "trim(" ~ text ~ ", ' ' || chr(9))" -%}
    {%- set iso = "coalesce(try_cast(" ~ text ~ " as timestamp), try_cast(" ~ trimmed ~ " as timestamp))" -%}
    {%- if format == 'iso' -%}
        {{ iso }}
    {%- elif format == 'YYYYMMDD' -%}
        coalesce(
            case when length({{ trimmed }}) = 8 then try_strptime({{ trimmed }}, '%Y%m%d') end
            {%- if is_parquet %}, {{ iso }}{% endif %}
        )
    {%- else -%}
        {%- set order = '\\3-\\2-\\1' if format == 'day-first' else '\\3-\\1-\\2' -%}
        {%- set slow_formats = [] -%}
        {%- for year in ['%y', '%Y'] -%}
            {%- for time in ['', ' %H:%M', ' %H:%M:%S', ' %I:%M %p', ' %I:%M:%S %p'] -%}
                {%- do slow_formats.append(('%d-%m-' if format == 'day-first' else '%m-%d-') ~ year ~ time) -%}
            {%- endfor -%}
        {%- endfor -%}
        {#- Where the text does not begin with such a date, the empty alternative after the bar makes it one that cannot be cast. -#}
        coalesce(
            try_cast(regexp_replace({{ text }}, '^ *([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})|^', '{{ order }}') as timestamp),
            try_strptime(translate({{ trimmed }}, './', '--'), {{ sql_list(slow_formats) }})
            {%- if is_parquet %}, {{ iso }}{% endif %}
        )
    {%- endif -%}
{% endmacro %}


{#- Why the moment in a row cannot be used, NULL where it can. -#}
{% macro _moment_reason(column, text, value) %}
    case
        when {{ text }} is null then '{{ column.name }} is missing'
        when {{ value }} is null or not isfinite({{ value }}) or not regexp_matches({{ text }}, '[0-9]') then '{{ column.name }} is not a date'
        when {{ value }} < {{ _first_moment() }} then '{{ column.name }} is before 1900'
        when {{ value }} >= {{ end_of_today() }} then '{{ column.name }} is in the future'
    end
{%- endmacro %}


{#- Why a yes or no cannot be used, NULL where it can. -#}
{% macro _flag_reason(column, text, value) %}
    case when {{ text }} is not null and {{ value }} is null then '{{ column.name }} is neither yes nor no' end
{%- endmacro %}


{#- No shop has older orders on file; a year of two digits that was read as four lies before it. -#}
{% macro _first_moment() %}timestamp '1900-01-01'{% endmacro %}
