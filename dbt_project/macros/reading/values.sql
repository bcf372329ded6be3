{#-
    CTEs that end in `name`: the records of one layout, typed, with what is wrong with each. They begin with the CTE `records` of source_file, raw_record
    and _parts, the list of its fields. They hold the columns `carried` and source_file, the configured columns (NULL where the text cannot be cast or the
    layout has no such column), reasons (NULL where the record can be used), is_blank, and raw_record, NULL where it is not needed again; `keeps_text` is
    another condition for it to be kept.

    Nearly all records can be used, so that is asked first, as cheaply as can be; only the others are asked what is wrong.
-#}
{% macro checked_records(name, records, table, layout, carried=[], keeps_text=none) %}
    {%- set parts = {} -%}
    {%- for column in layout.columns -%}
        {%- do parts.update({column.name: '_parts[' ~ (layout.fields[column.name] if layout.delimiter else loop.index) ~ ']'}) -%}
    {%- endfor -%}
    {%- set keeps_text = keeps_text or _may_be_needed_again(layout, parts) -%}
{{ name }}_values as (
    select
        *
        {%- for column in layout.columns %},
        {{ _raw_value(column, parts[column.name], table.source) }} as _value_{{ column.name }}
        {%- endfor %}
    from {{ records }}
),

{{ name }}_usable as (
    select
        *,
        coalesce(
            len(_parts) = {{ layout.n_fields }}
            {%- for column in layout.columns if column.kind != 'attribute' %}
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
            -- The fields of a record that is laid out wrongly cannot be told apart, so nothing else is said about it.
            when _parts is null then 'quotes are not balanced'
            when len(_parts) < {{ layout.n_fields }} then 'too few fields'
            when len(_parts) > {{ layout.n_fields }} then 'too many fields'
            else {{ _record_reasons(layout.columns, parts, table.source) }}
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
        {{ _accepted_value(column) }} as {{ column.name }},
        {% endif %}
        {% endfor %}
        reasons,
        is_blank,
        case when {{ keeps_text }} then cast({{ 'raw_record' if layout.delimiter else 'to_json(raw_record)' }} as varchar) end as raw_record
    from {{ name }}_reasons
)
{%- endmacro %}


{#-
    Which text is kept: that of a record that cannot be used, of a blank line, which may be part of a field, and of a line with an odd number of quotes,
    which may end a field that others begin, though it looks like a usable record: 'lines",30,40,50'. And the text of a number of which it is in doubt
    what its point is.
-#}
{% macro _may_be_needed_again(layout, parts) -%}
    reasons is not null or is_blank
    {%- set points = [] -%}
    {%- for name in layout.in_doubt %}{% do points.append("contains(" ~ parts[name] ~ ", '.')") %}{% endfor -%}
    {%- if points %}
    or ({{ "contains(raw_record, '.') and " if layout.delimiter }}({{ points | join(' or ') }}))
    {%- endif %}
    {%- if layout.delimiter %}
    or (contains(raw_record, '"') and (length(raw_record) - length(replace(raw_record, '"', ''))) % 2 = 1)
    {%- endif %}
{%- endmacro %}


{#- The value in a field: the number of a feature, the key as it is typed, the text of an attribute, a moment, a yes or no. -#}
{% macro _raw_value(column, part, source) -%}
    {%- set text = _field_text(part, source.missing_words) -%}
    {%- if column.kind == 'attribute' -%}
        {{ _attribute_text(part) }}
    {%- elif column.kind == 'key' and column.data_type == 'varchar' -%}
        {{ text }}
    {%- else -%}
        {#- Of the words for no value only those that a configuration names can be read as one: -999. -#}
        {%- set has_words = source.has_words_of_its_own -%}
        {{ 'case when ' ~ text ~ ' is not null then ' if has_words }}
        {%- if column.kind == 'moment' -%}
            {{ _moment(part, column.format, column.is_typed) }}
        {%- elif column.kind == 'flag' -%}
            coalesce(try_cast({{ part }} as boolean), cast({{ _yes_or_no(part) }} as boolean))
        {%- elif column.kind == 'key' -%}
            coalesce(try_cast({{ part }} as {{ column.data_type }}), try_cast({{ _trimmed(part) }} as {{ column.data_type }}))
        {%- else -%}
            {{ _number(column, part) }}
        {%- endif -%}
        {{ ' end' if has_words }}
    {%- endif -%}
{%- endmacro %}


{#- The value of an accepted row. NaN is no value. -#}
{% macro _accepted_value(column) -%}
    {%- set value = '_value_' ~ column.name -%}
    {%- if column.kind != 'feature' -%}
        {{ value }}
    {%- elif column.data_type == 'double' -%}
        nullif({{ value }}, cast('nan' as double))
    {%- else -%}
        try_cast({{ value }} as {{ column.data_type }})
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
        {{ value }} is not null and not contains({{ value }}, '+')
    {%- else -%}
        cast({{ value }} as varchar) = {{ part }}
    {%- endif -%}
{%- endmacro %}


{#- An expression in which another has a name, so that it is computed once: it is all that a list holds, which a loop goes over. -#}
{% macro with_name(name, expression, rest) -%}
    [{{ rest }} for {{ name }} in [{{ expression }}]][1]
{%- endmacro %}


{#- Every reason why a record is refused, in one text; NULL where it is accepted. -#}
{% macro _record_reasons(columns, parts, source) %}
    {%- set reasons = [] -%}
    {%- for kind in ['key', 'moment', 'flag', 'feature'] -%}
        {%- for column in columns if column.kind == kind -%}
            {%- set text = _field_text(parts[column.name], source.missing_words) -%}
            {%- set value = '_value_' ~ column.name -%}
            {%- if kind == 'key' -%}
                {%- set reason = _key_reason(column, 'field') -%}
            {%- elif kind == 'moment' -%}
                {%- set reason = _moment_reason(column, 'field', value) -%}
            {%- elif kind == 'flag' -%}
                {%- set reason = _flag_reason(column, 'field', value) -%}
            {%- else -%}
                {%- set reason = _feature_reason(column, 'field', value) -%}
            {%- endif -%}
            {%- do reasons.append(with_name('field', text, reason)) -%}
        {%- endfor -%}
    {%- endfor -%}
    nullif(concat_ws('; ', {{ reasons | join(', ') }}), '')
{%- endmacro %}


{#-
    Spaces of every kind, as part of a bracket in a regular expression: those of Unicode, the tab, and those without width, which come with what is copied
    from pages and workbooks.
-#}
{% macro _spaces() %}\p{Zs}\t\x{200B}\x{2060}\x{FEFF}{% endmacro %}


{#-
    A text without the spaces around it. Only a text of other characters than ASCII, which has more bytes than characters, can have the rarer ones; and to
    look for a space or tab costs less than to trim.
-#}
{% macro _trimmed(text) -%}
    case
        when strlen({{ text }}) <> length({{ text }}) then regexp_replace({{ text }}, '^[{{ _spaces() }}]+|[{{ _spaces() }}]+$', '', 'g')
        when contains({{ text }}, ' ') or contains({{ text }}, chr(9)) then trim({{ text }}, ' ' || chr(9))
        else {{ text }}
    end
{%- endmacro %}


{#- The trimmed text of an attribute, NULL where it is blank: words for "no value" are words like others there, such as NA for Namibia. -#}
{% macro _attribute_text(field) -%}
    nullif({{ _trimmed(field) }}, '')
{%- endmacro %}


{#-
    The trimmed text of a field, NULL where it is blank or a word for "no value". Only what is short is compared with them. They stand in a list for speed:
    DuckDB makes a join of an IN with five constants, and computes it for all rows, whatever CASE it stands in.
-#}
{% macro _field_text(field, missing_words) -%}
    {%- set trimmed = _trimmed(field) -%}
    {#- In bytes; no character has more than four. -#}
    {%- set longest = 4 * (missing_words | map('length') | sort | last | default(0)) -%}
    case when strlen({{ field }}) > {{ longest }} or not list_contains({{ sql_list(missing_words) }}, lower({{ trimmed }})) then {{ trimmed }} end
{%- endmacro %}


{#-
    Why the key of a row cannot be used, NULL where it can. Only digits count: DuckDB would read 0x1F and 0b11, too. 4.50588E+12 is what a spreadsheet
    leaves of a long number, also where keys are texts. A cast to a whole number rounds, so no digit but 0 may stand behind the point.
-#}
{% macro _key_reason(key, text) %}
    case
        when {{ text }} is null then '{{ key.name }} is missing'
        when regexp_full_match({{ text }}, '[+-]?[0-9]([.,][0-9]*)?[eE][+][0-9]{2,3}')
            then '{{ key.name }} is in exponent notation, as spreadsheets write long numbers, and has lost digits; format the column as text, or as a number without decimals, and export it anew'
        {%- if key.data_type == 'bigint' %}
        when not regexp_full_match({{ text }}, '[+-]?[0-9]+([.]0*)?') then '{{ key.name }} is not a whole number'
        when try_cast({{ text }} as bigint) is null then '{{ key.name }} is beyond the largest bigint; use data_type varchar'
        {%- endif %}
    end
{%- endmacro %}
