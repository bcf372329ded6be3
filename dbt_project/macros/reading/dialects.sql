{#-
    What DuckDB and Spark spell differently where files and tables are read; macros/dialects.sql has what is needed elsewhere, too. A regular expression is
    written as RE2 reads it, without escapes for SQL; what it does not read so, nobody else writes.
-#}


{#- Whether a text has a part that an expression describes. -#}
{% macro matches(text, pattern) -%}{{ adapter.dispatch('matches')(text, pattern) }}{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}regexp_matches({{ text }}, '{{ pattern | replace("'", "''") }}'){%- endmacro %}

{% macro spark__matches(text, pattern) -%}regexp_like({{ text }}, {{ _java_pattern(pattern) }}){%- endmacro %}


{#- Whether an expression describes all of a text. -#}
{% macro matches_whole(text, pattern) -%}{{ adapter.dispatch('matches_whole')(text, pattern) }}{%- endmacro %}

{% macro duckdb__matches_whole(text, pattern) -%}regexp_full_match({{ text }}, '{{ pattern | replace("'", "''") }}'){%- endmacro %}

{% macro spark__matches_whole(text, pattern) -%}regexp_like({{ text }}, {{ _java_pattern('^(?:' ~ pattern ~ ')$') }}){%- endmacro %}


{#- A text with the first part that an expression describes replaced, or with all of them; \1 stands for what the first bracket holds. -#}
{% macro replaced(text, pattern, replacement, all=false) -%}{{ adapter.dispatch('replaced')(text, pattern, replacement, all) }}{%- endmacro %}

{% macro duckdb__replaced(text, pattern, replacement, all) -%}
    regexp_replace({{ text }}, '{{ pattern | replace("'", "''") }}', '{{ replacement }}'{{ ", 'g'" if all }})
{%- endmacro %}

{#- Spark replaces all parts: what stands for the first one begins with ^ or ends with $. -#}
{% macro spark__replaced(text, pattern, replacement, all) -%}
    regexp_replace({{ text }}, {{ _java_pattern(pattern) }}, {{ sql_texts([modules.re.sub('\\\\([0-9])', '$\\1', replacement)]) }})
{%- endmacro %}


{#- What the bracket of that number holds in the first part that an expression describes; 0 is all of it, and '' stands for no such part. -#}
{% macro extracted(text, pattern, bracket) -%}{{ adapter.dispatch('extracted')(text, pattern, bracket) }}{%- endmacro %}

{% macro duckdb__extracted(text, pattern, bracket) -%}regexp_extract({{ text }}, '{{ pattern | replace("'", "''") }}', {{ bracket }}){%- endmacro %}

{% macro spark__extracted(text, pattern, bracket) -%}regexp_extract({{ text }}, {{ _java_pattern(pattern) }}, {{ bracket }}){%- endmacro %}


{#- All parts that an expression describes, one behind the other, as a list. -#}
{% macro all_extracted(text, pattern) -%}{{ adapter.dispatch('all_extracted')(text, pattern) }}{%- endmacro %}

{% macro duckdb__all_extracted(text, pattern) -%}regexp_extract_all({{ text }}, '{{ pattern | replace("'", "''") }}'){%- endmacro %}

{% macro spark__all_extracted(text, pattern) -%}regexp_extract_all({{ text }}, {{ _java_pattern(pattern) }}, 0){%- endmacro %}


{#- An expression as Java reads it: there $ stands before a line break at the end, too, a dot for no line break of any kind, and (?i) for ASCII alone. -#}
{% macro _java_pattern(pattern) -%}
    {{ sql_texts(['(?d)' ~ modules.re.sub('(?<!\\\\)[$]', '\\\\z', pattern | replace('(?i', '(?iu'))]) }}
{%- endmacro %}


{#- The number of bytes that a text has in UTF-8. -#}
{% macro n_bytes(text) -%}{{ adapter.dispatch('n_bytes')(text) }}{%- endmacro %}

{% macro duckdb__n_bytes(text) -%}strlen({{ text }}){%- endmacro %}

{% macro spark__n_bytes(text) -%}octet_length({{ text }}){%- endmacro %}


{#-
    Whether a value is one of some texts; NULL where it is NULL. They stand in a list for speed: DuckDB makes a join of an IN with five constants, and
    computes it for all rows, whatever CASE it stands in.
-#}
{% macro is_one_of(value, texts) -%}{{ adapter.dispatch('is_one_of')(value, texts) }}{%- endmacro %}

{% macro duckdb__is_one_of(value, texts) -%}list_contains({{ sql_list(texts) }}, {{ value }}){%- endmacro %}

{% macro spark__is_one_of(value, texts) -%}{{ value }} in ({{ sql_texts(texts) }}){%- endmacro %}


{#- The item of a list at a place, from 1; NULL beyond its end. -#}
{% macro item_of(list, place) -%}{{ adapter.dispatch('item_of')(list, place) }}{%- endmacro %}

{% macro duckdb__item_of(list, place) -%}{{ list }}[{{ place }}]{%- endmacro %}

{% macro spark__item_of(list, place) -%}try_element_at({{ list }}, {{ place }}){%- endmacro %}


{#- How many items a list has; NULL where it is NULL. -#}
{% macro n_items(list) -%}{{ adapter.dispatch('n_items')(list) }}{%- endmacro %}

{% macro duckdb__n_items(list) -%}len({{ list }}){%- endmacro %}

{% macro spark__n_items(list) -%}array_size({{ list }}){%- endmacro %}


{#- A list of what an expression makes of each item of another, which is called `name` in it. -#}
{% macro made_of_each(list, name, expression) -%}{{ adapter.dispatch('made_of_each')(list, name, expression) }}{%- endmacro %}

{% macro duckdb__made_of_each(list, name, expression) -%}[{{ expression }} for {{ name }} in {{ list }}]{%- endmacro %}

{% macro spark__made_of_each(list, name, expression) -%}transform({{ list }}, {{ name }} -> {{ expression }}){%- endmacro %}


{#- An expression in which another has a name, so that it is computed once: it is all that a list holds, which a loop goes over. -#}
{% macro with_name(name, expression, rest) -%}{{ adapter.dispatch('with_name')(name, expression, rest) }}{%- endmacro %}

{% macro duckdb__with_name(name, expression, rest) -%}[{{ rest }} for {{ name }} in [{{ expression }}]][1]{%- endmacro %}

{% macro spark__with_name(name, expression, rest) -%}transform(array({{ expression }}), {{ name }} -> {{ rest }})[0]{%- endmacro %}


{#- The items of a list for which a condition holds, in which each is called `name`. -#}
{% macro items_that(list, name, condition) -%}{{ adapter.dispatch('items_that')(list, name, condition) }}{%- endmacro %}

{% macro duckdb__items_that(list, name, condition) -%}list_filter({{ list }}, lambda {{ name }}: {{ condition }}){%- endmacro %}

{% macro spark__items_that(list, name, condition) -%}filter({{ list }}, {{ name }} -> {{ condition }}){%- endmacro %}


{#- The parts of a text between separators, as a list. -#}
{% macro parts_of_text(text, separator) -%}{{ adapter.dispatch('parts_of_text')(text, separator) }}{%- endmacro %}

{% macro duckdb__parts_of_text(text, separator) -%}string_split({{ text }}, {{ sql_texts([separator]) }}){%- endmacro %}

{% macro spark__parts_of_text(text, separator) -%}split({{ text }}, {{ sql_texts(['\\Q' ~ separator ~ '\\E']) }}, -1){%- endmacro %}


{#- A column of a select list: the whole numbers from one to another, none where the other is lower; one row for each. -#}
{% macro numbers_between(first, last) -%}{{ adapter.dispatch('numbers_between')(first, last) }}{%- endmacro %}

{% macro duckdb__numbers_between(first, last) -%}unnest(generate_series({{ first }}, {{ last }})){%- endmacro %}

{% macro spark__numbers_between(first, last) -%}
    explode(case when {{ last }} >= {{ first }} then sequence({{ first }}, {{ last }}) else array() end)
{%- endmacro %}


{#- The number that a text is, NULL where it is none. Spaces around it do not matter; inf and nan are numbers. -#}
{% macro number_in(text) -%}{{ adapter.dispatch('number_in')(text) }}{%- endmacro %}

{% macro duckdb__number_in(text) -%}try_cast({{ text }} as double){%- endmacro %}

{#- To Java 1d and 0x1p3 are numbers, too, and -nan is none. -#}
{% macro spark__number_in(text) -%}
    case
        when {{ matches(text, '^\\s*[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]+)?\\s*$') }} then try_cast({{ text }} as double)
        when {{ matches(text, '(?i)^\\s*[-+]?(?:inf(?:inity)?|nan)\\s*$') }}
            then {{ "try_cast(" ~ replaced(text, '(?i)^\\s*(?:[-+](nan)|([-+]?)(inf)(?:inity)?)\\s*$', '\\1\\2\\3') ~ " as double)" }}
    end
{%- endmacro %}


{#- The whole number that a text is, of a type; NULL where it is none. -#}
{% macro whole_number_in(text, data_type) -%}{{ adapter.dispatch('whole_number_in')(text, data_type) }}{%- endmacro %}

{% macro duckdb__whole_number_in(text, data_type) -%}try_cast({{ text }} as {{ data_type }}){%- endmacro %}

{#- Behind a point nothing is read. -#}
{% macro spark__whole_number_in(text, data_type) -%}
    try_cast({{ replaced(text, '^([-+]?[0-9]+)[.]0*$', '\\1') }} as {{ data_type }})
{%- endmacro %}


{#- The moment in a text that begins with the year, as it is written; NULL where there is none. -#}
{% macro moment_in(text) -%}{{ adapter.dispatch('moment_in')(text) }}{%- endmacro %}

{% macro duckdb__moment_in(text) -%}try_cast({{ text }} as timestamp){%- endmacro %}

{#- Spark takes a year for a moment, or a time of today, and moves what has a zone. -#}
{% macro spark__moment_in(text) -%}
    {%- set date = '^ *([0-9]{1,6})([-/ ])([0-9]{1,2})\\2([0-9]{1,2})' -%}
    {%- set zone = '(?:Z|[-+][0-9]{2}(?::?[0-9]{2}){0,2}| (?i:UTC))?' -%}
    {%- set clock = '(?:(?: +|T)([0-9]{1,2}:[0-9]{1,2})(?:(:[0-9]{1,2}(?:[.][0-9]+)?)' ~ zone ~ ')?)? *$' -%}
    {%- set year = "greatest(4, locate('-', written) - 1)" -%}
    case
        when {{ matches(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}:[0-9]{2})?$') }} then try_cast({{ text }} as timestamp)
        when {{ matches(text, date ~ clock) }}
            then {{ with_name(
                'written', replaced(text, date ~ clock, '\\1-\\3-\\4 \\5\\6'),
                "try_cast(trim(lpad(written, length(written) + " ~ year ~ " + 1 - locate('-', written), '0')) as timestamp)"
            ) }}
    end
{%- endmacro %}


{#-
    The moment in a text whose parts are separated by dashes, and hours from minutes by a colon: one of `dates`, as strptime describes them, which may have
    a time of 24 hours behind it, or one of 12 with am or pm, where `times` says so. NULL where there is none.
-#}
{% macro moment_with_dashes(text, dates, times=true) -%}{{ adapter.dispatch('moment_with_dashes')(text, dates, times) }}{%- endmacro %}

{% macro duckdb__moment_with_dashes(text, dates, times) -%}
    {%- set formats = [] -%}
    {%- for date in dates -%}
        {%- for time in [''] + (['-%H:%M', '-%H:%M:%S', '-%H:%M:%S-%f', '-%I:%M-%p', '-%I:%M:%S-%p'] if times else []) -%}
            {%- do formats.append(date ~ time) -%}
        {%- endfor -%}
    {%- endfor -%}
    try_strptime({{ text }}, {{ sql_list(formats) }})
{%- endmacro %}

{#- Spark's own patterns take other texts than strptime, and put 69 into another century. -#}
{% macro spark__moment_with_dashes(text, dates, times) -%}
    {%- set time = '(?:-(?:[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:-[0-9]{1,9})?)?|(?:0?[1-9]|1[0-2]):[0-9]{1,2}(?::[0-9]{1,2})?-[ap]m))?$' if times else '$' -%}
    {%- set clock = extracted('dashed', '-([0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?)', 1) -%}
    {%- set fraction = replaced(extracted('dashed', ':[0-9]{1,2}-([0-9]{1,9})$', 1), '^(.)', '.\\1') -%}
    {%- set half = extracted('dashed', '-([ap])m$', 1) -%}
    {%- set hour = 'cast(' ~ extracted('dashed', '-([0-9]{1,2}):', 1) ~ ' as integer)' -%}
    {%- set moment -%}
        try_cast(
            trim(concat(
                case
                    {%- for date in dates %}
                    when {{ matches('dashed', _strptime_pattern(date) ~ time) }} then {{ _iso_day('dashed', date) }}
                    {%- endfor %}
                end, ' ', {{ clock }}, {{ fraction }}
            )) as timestamp
        )
        + case
            when {{ half }} = 'p' and {{ hour }} < 12 then interval 12 hours
            when {{ half }} = 'a' and {{ hour }} = 12 then interval -12 hours
            else interval 0 hours
        end
    {%- endset -%}
    {{ with_name('dashed', 'lower(' ~ text ~ ')', moment) }}
{%- endmacro %}


{#- A date of strptime as the beginning of an expression, each part of it in a bracket. -#}
{% macro _strptime_pattern(date) %}
    {% set months = _months() %}
    {% set short = [] %}{% for month in months %}{% do short.append(month[:3]) %}{% endfor %}
    {% set parts = {
        '%d': '([0-9]{1,2})', '%m': '([0-9]{1,2})', '%Y': '([0-9]{1,4})', '%y': '([0-9]{1,2})', '%b': '(' ~ short | join('|') ~ ')', '%B': '(' ~ months | join('|') ~ ')'
    } %}
    {% set pattern = namespace(text='^' ~ date) %}
    {% for part, expression in parts.items() %}{% set pattern.text = pattern.text | replace(part, expression) %}{% endfor %}
    {% do return(pattern.text) %}
{% endmacro %}


{#- The day in a text that begins with a date of strptime, with the year first. -#}
{% macro _iso_day(text, date) -%}
    {%- set found = {} -%}
    {%- for part in modules.re.findall('%(.)', date) -%}{%- do found.update({part: extracted(text, _strptime_pattern(date), loop.index)}) -%}{%- endfor -%}
    concat_ws(
        '-',
        {% if found['Y'] %}lpad({{ found['Y'] }}, 4, '0'){% else -%}
        cast(case when cast({{ found['y'] }} as integer) < 69 then 2000 else 1900 end + cast({{ found['y'] }} as integer) as string)
        {%- endif %},
        {% if found['m'] %}{{ found['m'] }}{% else -%}
        cast((locate(substr({{ found['b'] or found['B'] }}, 1, 3), '{% for month in _months() %}{{ month[:3] }}{% endfor %}') + 2) div 3 as string)
        {%- endif %},
        {{ found['d'] }}
    )
{%- endmacro %}


{% macro _months() %}
    {% do return(['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']) %}
{% endmacro %}


{#- The value of a column of any type as a text. -#}
{% macro text_of_value(value) -%}{{ adapter.dispatch('text_of_value')(value) }}{%- endmacro %}

{% macro duckdb__text_of_value(value) -%}cast({{ value }} as string){%- endmacro %}

{#- Spark writes 1.0E7 and NaN where DuckDB writes 10000000.0 and nan; the letter E in a key says that digits are lost. -#}
{% macro spark__text_of_value(value) -%}
    case
        when typeof({{ value }}) in ('double', 'float') then {{ with_name('written', 'cast(' ~ value ~ ' as string)', _written_number('written')) }}
        else cast({{ value }} as string)
    end
{%- endmacro %}


{#- The text of a double in Spark as DuckDB has it: exponents from 16 digits on, and from five zeros behind the point on. -#}
{% macro _written_number(written) -%}
    case
        when {{ matches(written, 'E(?:[0-9]|1[0-5]|-4)$') }}
            then {{ replaced('cast(try_cast(' ~ written ~ ' as decimal(38, 20)) as string)', '^(.*?[.][0-9]+?)0*$', '\\1') }}
        when {{ matches(written, 'E') }}
            then {{ replaced(replaced(replaced(replaced(written, '[.]0E', 'E'), 'E-([0-9])$', 'e-0\\1'), 'E-', 'e-'), 'E', 'e+') }}
        else lower({{ replaced(written, 'inity$', '') }})
    end
{%- endmacro %}


{#- A row, made by made_row, as the text of a JSON object. -#}
{% macro row_as_json(row) -%}{{ adapter.dispatch('row_as_json')(row) }}{%- endmacro %}

{% macro duckdb__row_as_json(row) -%}cast(to_json({{ row }}) as string){%- endmacro %}

{#-
    Spark would leave columns out that are NULL. Of a second it writes all six decimals; the zeros at their end go, up to a mark that is never a character.
-#}
{% macro spark__row_as_json(row) -%}
    {%- set format = 'yyyy-MM-dd HH:mm:ss.SSSSSS\\U0010FFFF' -%}
    regexp_replace(
        to_json({{ row }}, map('ignoreNullFields', 'false', 'timestampFormat', '{{ format }}', 'timestampNTZFormat', '{{ format }}')), '[.]?0*\U0010FFFF', ''
    )
{%- endmacro %}


{#- The value of a key in the text of a JSON object, as a text. -#}
{% macro text_in_json(object, key) -%}{{ adapter.dispatch('text_in_json')(object, key) }}{%- endmacro %}

{% macro duckdb__text_in_json(object, key) -%}json_extract_string({{ object }}, {{ sql_texts(['$."' ~ key | replace('"', '\\"') ~ '"']) }}){%- endmacro %}

{% macro spark__text_in_json(object, key) -%}
    from_json({{ object }}, {{ sql_texts([quoted_name(key) ~ ' string']) }}).{{ quoted_name(key) }}
{%- endmacro %}


{#- The text of a JSON object with "(personal)" for the values of some keys. -#}
{% macro masked_object(object, keys) -%}{{ adapter.dispatch('masked_object')(object, keys) }}{%- endmacro %}

{#- The names of keys stand in the SQL as a list of texts, and only those that are there are written over. -#}
{% macro duckdb__masked_object(object, keys) -%}
    cast(
        json_merge_patch(
            {{ object }},
            '{'
            || array_to_string(
                list_transform(
                    list_filter(json_keys({{ object }}), lambda key: list_contains({{ sql_list(keys) }}, key)),
                    lambda key: cast(to_json(key) as varchar) || ': "(personal)"'
                ),
                ', '
            )
            || '}'
        ) as varchar
    )
{%- endmacro %}

{#- The objects are those of rows, made by row_as_json. A quote that belongs to a text has a backslash before it, so that the name of a key is found as such. -#}
{% macro spark__masked_object(object, keys) -%}
    {%- set names = [] -%}
    {%- for key in keys -%}{%- do names.append(modules.re.escape(key | replace('\\', '\\\\') | replace('"', '\\"'))) -%}{%- endfor -%}
    {%- set key = '([{,]"(?:' ~ names | join('|') ~ ')":)' -%}
    case
        when {{ matches(object, key ~ '[\\[{]') }} then {{ hidden_text() }}
        else {{ replaced(object, key ~ '(?:"(?:[^"\\\\]|\\\\.)*"|[^",}]*)', '\\1"(personal)"', all=true) }}
    end
{%- endmacro %}


{#- A column of a select list with the position of each row in the table that is made, where the engine has none by itself: `rowid`, from 0. -#}
{% macro and_positions() -%}{{ adapter.dispatch('and_positions')() }}{%- endmacro %}

{% macro duckdb__and_positions() -%}{%- endmacro %}

{#- They rise with the rows, with gaps between the parts in which Spark writes the table. -#}
{% macro spark__and_positions() -%}monotonically_increasing_id() as rowid,{%- endmacro %}


{#- A text that is one of a few in all rows of a table. -#}
{% macro one_of_few(text, texts) -%}{{ adapter.dispatch('one_of_few')(text, texts) }}{%- endmacro %}

{#- An enum takes a number in each row. -#}
{% macro duckdb__one_of_few(text, texts) -%}cast({{ text }} as enum ({{ sql_texts(texts) }})){%- endmacro %}

{% macro spark__one_of_few(text, texts) -%}{{ text }}{%- endmacro %}


{#- Stands behind the AS of a step that others read anew, instead of from a copy; Spark never makes one. -#}
{% macro without_a_copy() -%}{{ adapter.dispatch('without_a_copy')() }}{%- endmacro %}

{% macro duckdb__without_a_copy() -%}not materialized{%- endmacro %}

{% macro spark__without_a_copy() -%}{%- endmacro %}


{#- The fields of a line as they are written, with "(personal)" at some places, from 1. -#}
{% macro masked_fields(fields, places, delimiter) -%}{{ adapter.dispatch('masked_fields')(fields, places, delimiter) }}{%- endmacro %}

{% macro duckdb__masked_fields(fields, places, delimiter) -%}
    list_transform({{ fields }}, lambda field, place: {{ _masked_field(places, delimiter) }})
{%- endmacro %}

{% macro spark__masked_fields(fields, places, delimiter) -%}
    {%- set from_zero = [] -%}{%- for place in places -%}{%- do from_zero.append(place - 1) -%}{%- endfor -%}
    transform({{ fields }}, (field, place) -> {{ _masked_field(from_zero, delimiter) }})
{%- endmacro %}

{% macro _masked_field(places, delimiter) -%}
    case
        when field <> '' and place in ({{ places | join(', ') }}) then '(personal)'
        when contains(field, {{ delimiter }}) or contains(field, '"') or contains(field, chr(10)) then '"' || replace(field, '"', '""') || '"'
        else field
    end
{%- endmacro %}


{#- Whether a text is a JSON object. On Spark only rows are, made by row_as_json. -#}
{% macro is_json_object(record, each_key_once=false) -%}{{ adapter.dispatch('is_json_object')(record, each_key_once) }}{%- endmacro %}

{#- The other functions for JSON would stop the query at a line that is none, so they stand behind THEN. -#}
{% macro duckdb__is_json_object(record, each_key_once) -%}
    case
        when json_valid({{ record }})
            then
                starts_with(ltrim({{ record }}, ' ' || chr(9)), '{')
                {%- if each_key_once %} and len(json_keys({{ record }})) = list_unique(json_keys({{ record }})){% endif %}
        else false
    end
{%- endmacro %}

{% macro spark__is_json_object(record, each_key_once) -%}startswith({{ record }}, '{'){%- endmacro %}


{#- Where the tables are that readers and messages name. -#}
{% macro place_of_tables() %}{% do return(adapter.dispatch('place_of_tables')()) %}{% endmacro %}

{% macro duckdb__place_of_tables() %}{% do return(target.path) %}{% endmacro %}

{% macro spark__place_of_tables() %}{% do return('the schema ' ~ target.schema) %}{% endmacro %}


{#- The lines of text files as raw_record, each with the `filename` that it is in; `files` is {path: what the reader needs for it}. -#}
{% macro lines_in(files, format) -%}{{ adapter.dispatch('lines_in')(files, format) }}{%- endmacro %}

{% macro duckdb__lines_in(files, format) -%}{{ read_lines(sql_list(files.values()), "'" ~ format ~ "'") }}{%- endmacro %}

{#- A file is read in one piece, by one core: Spark gives numbers to rows, and does not say which piece of a file was the first. -#}
{% macro spark__lines_in(files, format) -%}
    (
        {% for path, pattern in files.items() %}
        select /*+ coalesce(1) */
            value as raw_record,
            {{ sql_texts([path]) }} as filename
        from text.{{ quoted_name(pattern) }}
        {{ 'union all' if not loop.last }}
        {% endfor %}
    )
{%- endmacro %}


{#- The rows of Parquet files. -#}
{% macro rows_in_parquet(patterns) -%}{{ adapter.dispatch('rows_in_parquet')(patterns) }}{%- endmacro %}

{% macro duckdb__rows_in_parquet(patterns) -%}read_parquet({{ sql_list(patterns) }}, hive_partitioning = false){%- endmacro %}

{% macro spark__rows_in_parquet(patterns) -%}parquet.{{ quoted_name(patterns | first) }}{%- endmacro %}


{#- The number of a line of a file that is read by itself, from 1. -#}
{% macro position_in_file() -%}{{ adapter.dispatch('position_in_file')() }}{%- endmacro %}

{% macro duckdb__position_in_file() -%}row_number() over (){%- endmacro %}

{% macro spark__position_in_file() -%}monotonically_increasing_id() + 1{%- endmacro %}


{#- Whether the rows of a source that is files have numbers. Those of Parquet have none on Spark, which reads it in pieces. -#}
{% macro files_have_line_numbers(table) %}{% do return(adapter.dispatch('files_have_line_numbers')(table)) %}{% endmacro %}

{% macro duckdb__files_have_line_numbers(table) %}{% do return(true) %}{% endmacro %}

{% macro spark__files_have_line_numbers(table) %}{% do return(not source_layouts(table) | rejectattr('delimiter') | list) %}{% endmacro %}


{#- The plugin that looks at sources. -#}
{% macro plugin_of_sources() %}{% do return(adapter.dispatch('plugin_of_sources')()) %}{% endmacro %}

{% macro duckdb__plugin_of_sources() %}{% do return('source_files') %}{% endmacro %}

{% macro spark__plugin_of_sources() %}{% do return('spark_source_files') %}{% endmacro %}
