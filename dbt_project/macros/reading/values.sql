{#-
    CTEs that end in `name`: the records of one layout, typed, with what is wrong with each. They begin with the CTE `records` of source_file, raw_record
    and _parts, the list of its fields. They hold the columns `carried` and source_file, the columns_read (NULL where the text cannot be cast or the
    layout has no such column), reasons (NULL where the record can be used), is_blank, and raw_record, NULL where it is not needed again; `keeps_text` is
    another condition for it to be kept.

    Nearly all records can be used, so that is asked first, as cheaply as can be; only the others are asked what is wrong.
-#}
{% macro checked_records(name, records, table, layout, carried=[], keeps_text=none) %}
    {%- set expressions, columns, parts = _parts_of(layout, table), _columns_of(layout, table.key), {} -%}
    {%- for column in expressions %}{% do parts.update({column: '_field_' ~ column}) %}{% endfor -%}
    {%- set keeps_text = keeps_text or _may_be_needed_again(layout, parts) -%}
-- With a name, each text is taken from its list once.
{{ name }}_fields as (
    select
        *
        {%- for column, text in expressions.items() %},
        {{ text }} as {{ parts[column] }}
        {%- endfor %}
    from {{ records }}
),

{{ name }}_values as (
    select
        *
        {%- for column in columns %},
        {{ _value_of(column, parts[column.name], table.source, layout) }} as _value_{{ column.name }}
        {%- endfor %}
    from {{ name }}_fields
),

{{ name }}_usable as (
    select
        *,
        coalesce(
            {{ n_items('_parts') ~ ' between ' ~ layout.n_needed ~ ' and ' ~ layout.n_fields if layout.delimiter else 'true' }}
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
            when _parts is null and {{ is_json_object('raw_record') }} then '{{ layout_reasons().twice }}'
            {%- endif %}
            when _parts is null then '{{ layout_reasons().no_object }}'
            {%- for column in layout.columns if column.may_be_nested %}
            when {{ _json_type_of(column, layout) }} in ('OBJECT', 'ARRAY') then '{{ column.name }} is a list or an object'
            {%- endfor %}
            {%- else %}
            when _parts is null then '{{ layout_reasons().quotes }}'
            when {{ n_items('_parts') }} < {{ layout.n_needed }} then '{{ layout_reasons().too_few }}'
            when {{ n_items('_parts') }} > {{ layout.n_fields }} then '{{ layout_reasons().too_many }}'
            {%- endif %}
            {%- endif %}
            else {{ _record_reasons(columns, parts, table.source) }}
        end as reasons
    from {{ name }}_blank
),

{{ name }} as (
    select
        {% for column in carried + ['source_file'] %}
        {{ column }},
        {% endfor %}
        {% for column in columns_read(table) %}
        {% if column.name not in parts %}
        cast(null as {{ sql_type(column.data_type) }}) as {{ column.name }},
        {% else %}
        {{ _accepted_value(column) }} as {{ column.name }},
        {% endif %}
        {% endfor %}
        {{ _unread_attributes(layout.columns, parts, table.source) ~ ' as unread_attributes,' if with_unread_attributes(table) }}
        reasons,
        is_blank,
        case when {{ keeps_text }} then {{ 'raw_record' if layout.delimiter else row_as_json('raw_record') }} end as raw_record
    from {{ name }}_reasons
)
{%- endmacro %}


{#- Why the fields of a record cannot be told apart. -#}
{% macro layout_reasons() %}
    {% do return({
        'quotes': 'quotes are not balanced', 'too_few': 'too few fields', 'too_many': 'too many fields',
        'no_object': 'the line is not a JSON object', 'twice': 'a key stands twice in the JSON object'
    }) %}
{% endmacro %}


{#- {column: an expression for the text of its field}. A key of several columns has them joined, as NULL where one of them is missing. -#}
{% macro _parts_of(layout, table) %}
    {% set key = table.key %}
    {% set parts = {} %}
    {% for name, place in layout.fields.items() %}
        {% do parts.update({name: item_of('_parts', loop.index if layout.delimiter == 'json' else place) if layout.delimiter else _text_of(name)}) %}
    {% endfor %}
    {% if layout.delimiter == 'json' %}
        {#- DuckDB writes a number of JSON without the exponent that shows that a key has lost digits. -#}
        {% set names = [key.name] + (key.columns or []) | map(attribute='name') | list %}
        {% for name in layout.columns | selectattr('name', 'in', names) | selectattr('has_numbers') | map(attribute='name') %}
            {% set header = layout.fields[name][1:] | replace('~1', '/') | replace('~0', '~') %}
            {% set number = '"' ~ modules.re.escape(header) ~ '"[ \t]*:[ \t]*(-?[0-9][0-9.]*[eE][+]?[0-9]+)' %}
            {% do parts.update({name: 'coalesce(nullif(regexp_extract(raw_record, ' ~ sql_texts([number]) ~ ", 1), ''), " ~ parts[name] ~ ')'}) %}
        {% endfor %}
    {% endif %}
    {% if key.columns %}
        {% set texts = [] %}
        {% for column in key.columns %}{% do texts.append(_field_text(parts[column.name], table.source.missing_words)) %}{% endfor %}
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
    which may end a field that others begin, though it looks like a usable record: 'lines",30,40,50'. The text of a number of which it is in doubt what its
    point is. And of orders, that of a line that will be left out for its word, or may contradict others of its order.
-#}
{% macro _may_be_needed_again(layout, parts) -%}
    reasons is not null or is_blank
    {%- for column in layout.columns if column.words %}
    or coalesce(not {{ is_among('_value_' ~ column.name, column.words) }}, true)
    {%- endfor %}
    {{- ' or true' if 'order' in layout.columns | map(attribute='of', default=none) }}
    {%- set points = [] -%}
    {%- for name in layout.in_doubt %}{% do points.append("contains(" ~ parts[name] ~ ", '.')") %}{% endfor -%}
    {%- if points %}
    or ({{ "contains(raw_record, '.') and " if layout.delimiter }}({{ points | join(' or ') }}))
    {%- endif %}
    {%- if layout.delimiter not in [none, 'json'] %}
    or (contains(raw_record, '"') and (length(raw_record) - length(replace(raw_record, '"', ''))) % 2 = 1)
    {%- endif %}
{%- endmacro %}


{#-
    The value in a field of a layout. What is typed is read as what it is, whatever is declared for texts; in a column of JSON some values may be texts, and
    others not. Only in a file of texts a date has no other form than the one that is declared.
-#}
{% macro _value_of(column, part, source, layout) -%}
    {%- set column = dict(column, has_iso_dates=layout.delimiter in [none, 'json']) -%}
    {%- set value = _raw_value(column, part, source) -%}
    {%- if column.is_mixed -%}
        case
            when {{ _json_type_of(column, layout) }} = 'VARCHAR' then {{ value }}
            else {{ _raw_value(dict(column, is_typed=true), part, source) }}
        end
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{% macro _json_type_of(column, layout) -%}_types[{{ (layout.fields.keys() | list).index(column.name) + 1 }}]{%- endmacro %}


{#- The value in a field: the number of a feature, the key as it is typed, the text of an attribute, a moment, a yes or no. -#}
{% macro _raw_value(column, part, source) -%}
    {%- set text = _field_text(part, source.missing_words) -%}
    {%- if column.kind == 'attribute' and column.data_type != 'varchar' -%}
        {{ _attribute_value(column, part, source) }}
    {%- elif column.kind == 'attribute' -%}
        {{ _attribute_text(part) }}
    {%- elif column.kind == 'category' or (column.kind == 'key' and column.data_type == 'varchar') -%}
        {{ text }}
    {%- else -%}
        {#- Of the words for no value only those that a configuration names can be read as one: -999. -#}
        {%- set has_words = source.has_words_of_its_own -%}
        {{ 'case when ' ~ text ~ ' is not null then ' if has_words }}
        {%- if column.kind == 'moment' -%}
            {{ _moment(part, column.format, column.has_iso_dates) }}
        {%- elif column.kind == 'flag' -%}
            coalesce(try_cast({{ part }} as boolean), cast({{ _yes_or_no(part) }} as boolean))
        {%- elif column.kind == 'key' -%}
            coalesce({{ whole_number_in(part, column.data_type) }}, {{ whole_number_in(_trimmed(part), column.data_type) }})
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
    The value of an attribute that is not a text. One that is not of its type is NULL, and the customer is kept all the same: it forms no segments. It is
    read like that of a feature, a moment or a yes or no.
-#}
{% macro _attribute_value(column, part, source) -%}
    {%- set like = {'date': 'moment', 'boolean': 'flag'}.get(column.data_type, 'feature') -%}
    {%- set value = _raw_value(dict(column, kind=like), part, source) -%}
    {%- if like == 'moment' -%}
        case when {{ _is_a_day(part) }} then cast({{ value }} as date) end
    {%- elif like == 'flag' -%}
        {{ value }}
    {%- elif column.data_type == 'integer' -%}
        case when {{ value }} = floor({{ value }}) then try_cast({{ value }} as integer) end
    {%- else -%}
        case when abs({{ value }}) < {{ too_large() }} then {{ value }} end
    {%- endif -%}
{%- endmacro %}


{#- The names of the attributes of a record that have a value which is not of their type; NULL for nearly all records. -#}
{% macro _unread_attributes(columns, parts, source) -%}
    {%- set unread = [] -%}
    {%- for column in columns if column.kind == 'attribute' and column.data_type != 'varchar' -%}
        {%- set text = _field_text(parts[column.name], source.missing_words) -%}
        {%- do unread.append("case when _value_" ~ column.name ~ " is null and " ~ text ~ " is not null then '" ~ column.name ~ "' end") -%}
    {%- endfor -%}
    {{ "nullif(concat_ws(', ', " ~ unread | join(', ') ~ "), '')" if unread else 'cast(null as string)' }}
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
    {%- elif column.kind in ['flag', 'category'] -%}
        {{ value }} is not null
    {%- elif column.kind == 'feature' -%}
        {#- Bounds of the configuration may lie beyond those that every value has. NaN is above all bounds. -#}
        {%- set limit = 2147483647 if column.data_type == 'integer' else 9e99 -%}
        {%- set lowest, highest = column.range[0], column.range[1] -%}
        {%- set lowest = [-limit, lowest if lowest is not none else -limit] | max -%}
        {%- set highest = [limit, highest if highest is not none else limit] | min -%}
        {{ value }} between {{ lowest }} and {{ highest }}
        {%- if column.data_type == 'integer' %} and {{ value }} = floor({{ value }}){% endif %}
    {%- elif column.data_type == 'varchar' -%}
        {{ value }} is not null and not {{ _may_have_lost_digits(value) }}{{ ' and ' ~ _joins_its_columns(column, value) if column.columns }}
    {%- else -%}
        cast({{ value }} as string) = {{ part }}
    {%- endif -%}
{%- endmacro %}


{#- Every reason why a record is refused, in one text; NULL where it is accepted. -#}
{% macro _record_reasons(columns, parts, source) %}
    {%- set reasons = [] -%}
    {%- for kind in ['key', 'moment', 'flag', 'category', 'feature'] -%}
        {%- for column in columns if column.kind == kind -%}
            {%- set text = _field_text(parts[column.name], source.missing_words) -%}
            {%- set value = '_value_' ~ column.name -%}
            {%- if kind == 'key' -%}
                {%- set reason = _key_reason(column, 'field') -%}
            {%- elif kind == 'moment' -%}
                {%- set reason = _moment_reason(column, 'field', value) -%}
            {%- elif kind == 'flag' -%}
                {%- set reason = _flag_reason(column, 'field', value) -%}
            {%- elif kind == 'category' -%}
                {%- set reason = _category_reason(column, 'field') -%}
            {%- else -%}
                {%- set reason = _feature_reason(column, 'field', value) -%}
            {%- endif -%}
            {%- do reasons.append(with_name('field', text, reason)) -%}
        {%- endfor -%}
    {%- endfor -%}
    nullif(concat_ws('; ', {{ (reasons or ['null']) | join(', ') }}), '')
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
    {%- set spaces = '[' ~ _spaces() ~ ']+' -%}
    case
        when {{ n_bytes(text) }} <> length({{ text }}) then {{ replaced(text, '^' ~ spaces ~ '|' ~ spaces ~ '$', '', all=true) }}
        when contains({{ text }}, ' ') or contains({{ text }}, chr(9)) then trim(both ' ' || chr(9) from {{ text }})
        else {{ text }}
    end
{%- endmacro %}


{#- The trimmed text of an attribute, NULL where it is blank: words for "no value" are words like others there, such as NA for Namibia. -#}
{% macro _attribute_text(field) -%}
    nullif({{ _trimmed(field) }}, '')
{%- endmacro %}


{#-
    The trimmed text of a field, NULL where it is blank or a word for "no value". Only what is short is compared with them.
-#}
{% macro _field_text(field, missing_words) -%}
    {%- set trimmed = _trimmed(field) -%}
    {#- In bytes; no character has more than four. -#}
    {%- set longest = 4 * (missing_words | map('length') | sort | last | default(0)) -%}
    case when {{ n_bytes(field) }} > {{ longest }} or not {{ is_one_of('lower(' ~ trimmed ~ ')', missing_words) }} then {{ trimmed }} end
{%- endmacro %}


{#-
    Why the key of a row cannot be used, NULL where it can. Only digits count: DuckDB would read 0x1F and 0b11, too. 4.50588E+12 is what a spreadsheet
    leaves of a long number, also where keys are texts. A cast to a whole number rounds, so no digit but 0 may stand behind the point.
-#}
{% macro _key_reason(key, text) %}
    case
        when {{ text }} is null then '{{ key.name }} is missing'
        {%- if key.columns %}
        when not {{ _joins_its_columns(key, text) }} then '{{ key.name }} has the character | in one of its columns, which joins them'
        {%- endif %}
        {#- In one of the columns that are joined, it is an end of the whole or stands beside a bar. -#}
        {%- set begin, end = ('(^|[|])', '($|[|])') if key.columns else ('^', '$') %}
        when {{ matches(text, begin ~ '[+-]?[0-9](([.,][0-9]*)?[eE][+][0-9]{1,3}|[.,][0-9]+[eE][0-9]{1,3})' ~ end) }}
            then '{{ key.name }} is in exponent notation, as spreadsheets write long numbers, and has lost digits; format the column as text, or as a number without decimals, and export it anew'
        {%- if key.data_type == 'bigint' %}
        when not {{ matches_whole(text, '[+-]?[0-9]+([.]0*)?') }} then '{{ key.name }} is not a whole number'
        when {{ whole_number_in(text, 'bigint') }} is null then '{{ key.name }} is beyond the largest bigint; use data_type varchar'
        {%- endif %}
    end
{%- endmacro %}


{#- A cheap test that every key that _key_reason refuses for its exponent passes, and few others: 4.5E+12 has a plus, 4.5E12 and 4,5E12 a mark. -#}
{% macro _may_have_lost_digits(text) -%}
    (
        contains({{ text }}, '+')
        or ((contains({{ text }}, '.') or contains({{ text }}, ',')) and {{ matches(text, '[0-9][.,][0-9]+[eE][0-9]') }})
    )
{%- endmacro %}


{#- Whether the columns of a key can be told apart in it. -#}
{% macro _joins_its_columns(key, text) -%}
    length({{ text }}) - length(replace({{ text }}, '|', '')) = {{ key.columns | length - 1 }}
{%- endmacro %}


{#-
    The number in a field, NULL where there is none, written as the column says. Numbers that are plain are read first, with one cast; what cannot be
    read so is looked at piece by piece. Neither separator is guessed.
-#}
{% macro _number(column, part) -%}
    {%- set bare = _bare_number(column, _trimmed(part)) -%}
    {%- if column['as'] -%}
        {{ _counted(column, part) }}
    {%- elif column.is_typed -%}
        coalesce({{ number_in(part) }}, case {{ part }} when 'true' then 1 when 'false' then 0 end)
    {%- elif column.format == 'yes_no' -%}
        cast({{ _yes_or_no(part) }} as double)
    {%- elif column.format == 'percent' -%}
        {{ number_in(bare) }} / 100
    {%- elif column.decimal_separator == ',' -%}
        coalesce(
            case when not contains({{ part }}, '_') and not contains({{ part }}, '.') then {{ number_in('replace(' ~ part ~ ", ',', '.')") }} end,
            {{ number_in(bare) }}
        )
    {%- else -%}
        {#- DuckDB reads 1_000 as a thousand. -#}
        case when not contains({{ part }}, '_') then coalesce({{ number_in(part) }}, {{ number_in(bare) }}) end
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
        {%- set text = replaced(text, '^(.*?)[(]' ~ space ~ '([^()−-]+?)' ~ space ~ '[)](.*)$', '-\\1\\2\\3') -%}
        {%- set text = replaced(text, '^([^-−]*[0-9])' ~ space ~ '[-−]$', '-\\1') -%}
    {%- elif column.format == 'percent' -%}
        {%- set text = extracted(text, '^(.*?)' ~ space ~ '%$', 1) -%}
    {%- endif -%}
    {%- if column.currency -%}
        {%- set currency = modules.re.escape(column.currency) -%}
        {%- set before = '^([-−+]?)' ~ space ~ currency ~ space ~ '([-−+]?.*)$' -%}
        {%- set behind = '^(.*?)' ~ space ~ currency ~ space ~ '$' -%}
        {%- set text = replaced(text, '(?i)' ~ before ~ '|' ~ behind, '\\1\\2\\3') -%}
    {%- endif -%}
    {{ text }}
{%- endmacro %}


{#-
    A text without its separators of thousands, blank where they do not stand before groups of three digits; before the last group they may stand
    before groups of two, as in India. 0,731 is no such number.
-#}
{% macro _without_thousands(column, text) -%}
    {%- if column.thousands_separator -%}
        {%- set separator = {' ': '[' ~ _spaces() ~ ']', "'": "['’]"}.get(column.thousands_separator, '[' ~ column.thousands_separator ~ ']') -%}
        {%- set groups = '[1-9][0-9]{0,2}(?:' ~ separator ~ '[0-9]{3})+|[1-9][0-9]?(?:' ~ separator ~ '[0-9]{2})*' ~ separator ~ '[0-9]{3}' -%}
        {%- set number = '^[-−+]?(?:' ~ groups ~ '|[0-9]*)(?:[' ~ (column.decimal_separator or '.') ~ '][0-9]*)?(?:[eE][-+]?[0-9]+)?$' -%}
        {{ replaced(extracted(text, number, 0), separator, '', all=true) }}
    {%- else -%}
        {{ text }}
    {%- endif -%}
{%- endmacro %}


{#- 1 for yes and 0 for no, by words that mean the one in no language and the other in none; NULL for others. -#}
{% macro _yes_or_no(text) -%}
    {%- set yes = ['1', 'yes', 'y', 'true', 't', 'on', 'ja', 'j', 'oui', 'si', 'sí', 'sì', 'sim', 'tak', 'wahr', 'vrai'] -%}
    {%- set no = ['0', 'no', 'n', 'false', 'f', 'off', 'nein', 'nee', 'nej', 'nei', 'non', 'não', 'nie', 'falsch', 'faux'] -%}
    case
        when {{ is_one_of('lower(' ~ _trimmed(text) ~ ')', yes) }} then 1
        when {{ is_one_of('lower(' ~ _trimmed(text) ~ ')', no) }} then 0
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
        when not abs({{ value }}) < cast('infinity' as double) then '{{ feature.name }} is not a finite number'
        {%- if lowest is not none %}
        when {{ value }} < {{ lowest }} then '{{ feature.name }} is {{ 'after ' ~ fixed_reference_date() if feature['as'] and lowest == 0 else 'below ' ~ lowest }}'
        {%- endif %}
        {%- if highest is not none %}
        when {{ value }} > {{ highest }} then '{{ feature.name }} is above {{ highest }}'
        {%- endif %}
        {%- if feature.data_type == 'integer' %}
        when {{ value }} % 1 <> 0 then '{{ feature.name }} is not a whole number'
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
        {%- set digits, currencies = matches(text, '[0-9]'), '\\p{Sc}|[A-Z]{3}|kr|zł|Kč|Fr|Rs' -%}
        case
            when {{ matches(text, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') }} or {{ matches(text, '^[0-9]{1,2}([./-])[0-9]{1,2}[./-][0-9]{4}') }}
                then 'is not a number, but a date: set its format, and as: days_since or age_years'
            when {{ matches_whole('lower(' ~ text ~ ')', 'yes|no|y|n|true|false|t|f|on|off|ja|nein|oui|non|s[iíì]') }} then 'is not a number, but yes or no: set format: yes_no'
            {%- if feature.format == 'percent' %}
            when {{ digits }} and not contains({{ text }}, '%') then 'has no percent sign, so it may be a share or a percentage: set format: number, or mend the file'
            {%- else %}
            when {{ digits }} and contains({{ text }}, '%') then 'is not a number, but has a percent sign: set format: percent'
            {%- endif %}
            {%- if feature.format != 'accounting' %}
            when {{ digits }} and {{ matches(text, '[(].*[0-9].*[)]|[0-9][-−]$') }} then 'is not a number, but negative as in accounts: set format: accounting'
            {%- endif %}
            when
                {{ digits }} and {{ matches(text, '^[-−+(]?[' ~ _spaces() ~ ']*(' ~ currencies ~ ')|(' ~ currencies ~ ')[.)]?$') }}
                {%- if feature.currency %}
                and not contains(upper({{ text }}), upper({{ sql_texts([feature.currency]) }}))
                {%- endif %}
                then {{ sql_texts(['is in another currency than ' ~ feature.currency if feature.currency else 'is not a number, but has a currency: set currency']) }}
            {%- set separators = {} %}
            {%- if feature.thousands_separator != ' ' %}{% do separators.update({'[' ~ _spaces() ~ ']': 'spaces'}) %}{% endif %}
            {%- if feature.thousands_separator != "'" %}{% do separators.update({"['’]": 'apostrophes'}) %}{% endif %}
            {%- for separator, word in separators.items() %}
            when {{ matches(text, '[0-9]' ~ separator ~ '[0-9]{3}([^0-9]|$)') }} then 'is not a number, but has {{ word }} between its digits: set thousands_separator'
            {%- endfor %}
            {%- for mark, words in {',': 'a comma', '.': 'points'}.items() if mark not in [feature.decimal_separator, feature.thousands_separator] %}
            when {{ digits }} and {{ matches_whole(text, '[-−+]?[0-9.,]*[' ~ mark ~ '][0-9.,]+') }}
                then 'is not a number, but has {{ words }}: set {{ 'thousands_separator' if feature.decimal_separator or mark == '.' else 'decimal_separator or thousands_separator' }}'
            {%- endfor %}
            when {{ digits }} and {{ matches_whole(text, '[-−+]?[0-9.,]*[.,][0-9.,]*') }} then 'is not a number, as its digits are not grouped by three'
            else 'is not a number'
        end
    {%- endif -%}
{% endmacro %}


{#- Why a yes or no cannot be used, NULL where it can. -#}
{% macro _flag_reason(column, text, value) %}
    case
        {%- if column.missing == 'reject' %}
        when {{ text }} is null then '{{ column.name }} is missing'
        {%- endif %}
        when {{ text }} is not null and {{ value }} is null then '{{ column.name }} is neither yes nor no'
    end
{%- endmacro %}


{#- Why a level cannot be used, NULL where it can: any text is one. -#}
{% macro _category_reason(column, text) %}
    {{ 'case when ' ~ text ~ " is null then '" ~ column.name ~ " is missing' end" if column.missing == 'reject' else 'cast(null as string)' }}
{%- endmacro %}


{#- The number that a column counts from its date to the reference date, NULL where there is no date from 1900 on. -#}
{% macro _counted(column, part) -%}
    {%- set moment = _moment(part, column.format, column.has_iso_dates) -%}
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
{% macro _moment(text, format, has_iso_dates=false) %}
    {%- set trimmed = _trimmed(text) -%}
    {%- set iso = moment_in(text) -%}
    {%- if format == 'iso' -%}
        coalesce({{ iso }}, {{ _moment_of_other_spelling(trimmed, format) }})
    {%- elif format == 'YYYYMMDD' -%}
        coalesce(
            {{ with_name('digits', trimmed, 'case when ' ~ n_bytes('digits') ~ ' = 8 then ' ~ moment_with_dashes('digits', ['%Y%m%d'], times=false) ~ ' end') }},
            {{ iso ~ ', ' if has_iso_dates }}{{ _moment_of_other_spelling(trimmed, format) }}
        )
    {%- else -%}
        {%- set order = '\\3-\\2-\\1' if format == 'day-first' else '\\3-\\1-\\2' -%}
        {#- Where the text does not begin with such a date, the empty alternative after the bar makes it one that cannot be cast. -#}
        coalesce(
            {{ moment_in(replaced(text, '^ *([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})|^', order)) }},
            {{ iso ~ ', ' if has_iso_dates }}{{ _moment_of_other_spelling(trimmed, format) }}
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
    {%- set plain = replaced('spelt', '(?i)' ~ weekday ~ '(.*?)(?:(' ~ time ~ ')' ~ space ~ zone ~ ')?$', '\\1\\2') -%}
    {%- set halves = replaced(replaced(plain, '(?i)' ~ space ~ '([ap])[.]?m[.]?$', '-\\1m'), '(?i)sept([^e]|$)', 'sep\\1') -%}
    {%- set dashes = replaced(halves, '[./,−' ~ _spaces() ~ '-]+', '-', all=true) -%}
    {%- set named = ['%d-%b-%Y', '%d-%B-%Y', '%b-%d-%Y', '%B-%d-%Y', '%Y-%b-%d'] -%}
    {%- set own = {
        'iso': ['%Y-%m-%d'], 'YYYYMMDD': ['%Y%m%d'],
        'day-first': ['%d-%m-%y', '%d-%m-%Y', '%d-%b-%y'], 'month-first': ['%m-%d-%y', '%m-%d-%Y', '%d-%b-%y', '%b-%d-%y'],
    }[format] -%}
    {#- Blank fields and words are many in some files, and no such date is that short. -#}
    {%- set moment -%}
        case
            when {{ n_bytes('spelt') }} > 5 and {{ matches('spelt', '[0-9]{4}' if format in ['iso', 'YYYYMMDD'] else '[0-9]') }}
                then coalesce({{ moment_in(plain) ~ ', ' if format == 'iso' }}{{ moment_with_dashes(dashes, own + named) }})
        end
    {%- endset -%}
    {{ with_name('spelt', text, moment) }}
{%- endmacro %}


{#- DuckDB takes "epoch" and "infinity" for moments. -#}
{% macro _is_a_day(text) -%}{{ matches(text, '[0-9]') }}{%- endmacro %}


{#- Why the moment in a row cannot be used, NULL where it can. -#}
{% macro _moment_reason(column, text, value) %}
    case
        when {{ text }} is null then '{{ column.name }} is missing'
        when {{ value }} is null or not {{ _is_a_day(text) }} then '{{ column.name }} ' || {{ _what_is_no_date(column.format, text) }}
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
        when {{ matches_whole(text, shape) }} then 'is not a date of the format {{ format }}, but one {{ words }}'
        {%- endfor %}
        else 'is not a date'
    end
{% endmacro %}


{#- No shop has older orders on file; a year of two digits that was read as four lies before it. -#}
{% macro _first_moment() %}timestamp '1900-01-01'{% endmacro %}
