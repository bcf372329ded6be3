{#-
    What DuckDB and Spark spell differently, and nothing else does: models and data tests call these instead. The names behind duckdb__ are dispatched by dbt.
-#}


{#- The texts of a group in one, in order; NULL where there are none. `condition` leaves rows out. -#}
{% macro joined_texts(text, separator, order, condition='true') -%}
    {{ adapter.dispatch('joined_texts')(text, separator, order, condition) }}
{%- endmacro %}

{% macro duckdb__joined_texts(text, separator, order, condition) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order }}){% if condition != 'true' %} filter (where {{ condition }}){% endif %}
{%- endmacro %}

{#- An array has no order of its own; structs are put in that of their fields. -#}
{% macro spark__joined_texts(text, separator, order, condition) -%}
    case
        when count(case when {{ condition }} then {{ text }} end) > 0 then array_join(
            transform(
                array_sort(collect_list(case when {{ condition }} and {{ text }} is not null then struct({{ order }}, {{ text }} as joined_text) end)),
                pair -> pair.joined_text
            ),
            '{{ separator }}'
        )
    end
{%- endmacro %}


{#- The items of a list in one text. -#}
{% macro joined_list(list, separator) -%}{{ adapter.dispatch('joined_list')(list, separator) }}{%- endmacro %}

{% macro duckdb__joined_list(list, separator) -%}array_to_string({{ list }}, '{{ separator }}'){%- endmacro %}

{% macro spark__joined_list(list, separator) -%}array_join({{ list }}, '{{ separator }}'){%- endmacro %}


{#- The parts of a text in the order of the alphabet, as a list: texts that say the same in another order have the same. -#}
{% macro sorted_parts(text, separator) -%}{{ adapter.dispatch('sorted_parts')(text, separator) }}{%- endmacro %}

{% macro duckdb__sorted_parts(text, separator) -%}list_sort(string_split({{ text }}, '{{ separator }}')){%- endmacro %}

{% macro spark__sorted_parts(text, separator) -%}array_sort(split({{ text }}, '{{ separator }}')){%- endmacro %}


{#- A list of expressions. -#}
{% macro made_list(expressions) -%}{{ adapter.dispatch('made_list')(expressions) }}{%- endmacro %}

{% macro duckdb__made_list(expressions) -%}[{{ expressions | join(', ') }}]{%- endmacro %}

{% macro spark__made_list(expressions) -%}array({{ expressions | join(', ') }}){%- endmacro %}


{#- Columns of a select list, one row for each place of the lists: {list: name of its column}. Lists that stand together have the same length. -#}
{% macro unnested(lists) -%}{{ adapter.dispatch('unnested')(lists) }}{%- endmacro %}

{% macro duckdb__unnested(lists) -%}
    {%- for list, column in lists.items() -%}unnest({{ list }}) as {{ column }}{{ ', ' if not loop.last }}{%- endfor -%}
{%- endmacro %}

{% macro spark__unnested(lists) -%}
    {%- if lists | length == 1 -%}
        explode({{ lists | first }}) as {{ lists.values() | first }}
    {%- else -%}
        {#- A list that is NULL counts as one of NULLs. -#}
        inline(arrays_zip(coalesce({{ lists.keys() | join(', array()), coalesce(') }}, array()))) as ({{ lists.values() | join(', ') }})
    {%- endif -%}
{%- endmacro %}


{#- The name of a column, whatever characters it has. -#}
{% macro quoted_name(name) -%}{{ adapter.dispatch('quoted_name')(name) }}{%- endmacro %}

{% macro duckdb__quoted_name(name) -%}"{{ name | replace('"', '""') }}"{%- endmacro %}

{% macro spark__quoted_name(name) -%}`{{ name | replace('`', '``') }}`{%- endmacro %}


{#- Columns in one, with their names; to_json makes a text of it. -#}
{% macro made_row(columns) -%}{{ adapter.dispatch('made_row')(columns) }}{%- endmacro %}

{% macro duckdb__made_row(columns) -%}
    struct_pack({% for column in columns %}{{ quoted_name(column) }} := {{ quoted_name(column) }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro spark__made_row(columns) -%}
    named_struct({% for column in columns %}{{ sql_texts([column]) }}, {{ quoted_name(column) }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{#- The whole numbers from 1 to the length of a list. -#}
{% macro places_in(list) -%}{{ adapter.dispatch('places_in')(list) }}{%- endmacro %}

{% macro duckdb__places_in(list) -%}generate_series(1, len({{ list }})){%- endmacro %}

{% macro spark__places_in(list) -%}
    case when size({{ list }}) > 0 then sequence(1, size({{ list }})) else array() end
{%- endmacro %}


{#- The shortest text that reads back as the same number: no exponent up to 16 digits, no trailing zeros. -#}
{% macro plain_number(value) -%}{{ adapter.dispatch('plain_number')(value) }}{%- endmacro %}

{% macro duckdb__plain_number(value) -%}regexp_replace(cast({{ value }} as string), '[.]0$', ''){%- endmacro %}

{#- Spark writes 1.0E7 from there on and 1.0E-4 downwards; the text of a decimal has all digits, and its zeros. A list of one gives the value a name. -#}
{% macro spark__plain_number(value) -%}
    element_at(transform(array({{ value }}), number -> case
        when cast(number as string) not like '%E%' then replace(regexp_replace(lower(cast(number as string)), '[.]0$', ''), 'infinity', 'inf')
        when abs(number) >= 0.0001 and abs(number) < 1e16 then regexp_replace(cast(cast(cast(number as string) as decimal(38, 21)) as string), '[.]?0+$', '')
        else regexp_replace(regexp_replace(regexp_replace(lower(cast(number as string)), '[.]0e', 'e'), 'e([0-9])', 'e+$1'), '([+-])([0-9])$', '$10$2')
    end), 1)
{%- endmacro %}


{#- How many years are over between two days, as people count their age; below 0 where the first is later. -#}
{% macro completed_years(first, last) -%}{{ adapter.dispatch('completed_years')(first, last) }}{%- endmacro %}

{% macro duckdb__completed_years(first, last) -%}date_sub('year', {{ first }}, {{ last }}) - cast({{ first }} > {{ last }} as integer){%- endmacro %}

{% macro spark__completed_years(first, last) -%}
    cast(months_between({{ last }}, {{ first }}) / 12 as integer) - cast({{ first }} > {{ last }} as integer)
{%- endmacro %}


{#- Stops the query with a sentence. -#}
{% macro raised(sentence) -%}{{ adapter.dispatch('raised')(sentence) }}{%- endmacro %}

{% macro duckdb__raised(sentence) -%}error({{ sentence }}){%- endmacro %}

{% macro spark__raised(sentence) -%}raise_error({{ sentence }}){%- endmacro %}


{#- How many different combinations of columns a table has, to a few per cent; engines may differ by as much. -#}
{% macro approximate_distinct(columns) -%}{{ adapter.dispatch('approximate_distinct')(columns) }}{%- endmacro %}

{% macro duckdb__approximate_distinct(columns) -%}approx_count_distinct(hash({{ columns }})){%- endmacro %}

{% macro spark__approximate_distinct(columns) -%}approx_count_distinct({{ _row_as_text(columns) }}){%- endmacro %}


{#-
    An aggregate over rows that tells two tables apart, whatever the order of their rows. Each engine has its own number for the same table: they are compared
    by readers alone, and between builds of one engine.
-#}
{% macro fingerprint(columns) -%}{{ adapter.dispatch('fingerprint')(columns) }}{%- endmacro %}

{% macro duckdb__fingerprint(columns) -%}cast(bit_xor(md5_number({{ _row_as_text(columns) }})) as string){%- endmacro %}

{% macro spark__fingerprint(columns) -%}cast(bit_xor(xxhash64({{ _row_as_text(columns) }})) as string){%- endmacro %}

{% macro _row_as_text(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns.split(', ') -%}{%- do texts.append("coalesce(cast(" ~ column ~ " as string), '')") -%}{%- endfor -%}
    concat_ws('|', {{ texts | join(', ') }})
{%- endmacro %}


{#- Puts an expression over its arguments, {name: type}, into the database as a function, for everybody who queries it. -#}
{% macro create_function(name, arguments, expression, returns) -%}
    {{ adapter.dispatch('create_function')(name, arguments, expression, returns) }}
{%- endmacro %}

{% macro duckdb__create_function(name, arguments, expression, returns) -%}
    create or replace macro {{ name }}({{ arguments | join(', ') }}) as {{ expression }}
{%- endmacro %}

{% macro spark__create_function(name, arguments, expression, returns) -%}
    create or replace function {{ name }}(
        {%- for argument, data_type in arguments.items() %}{{ argument }} {{ data_type }}{{ ', ' if not loop.last }}{% endfor -%}
    ) returns {{ returns }} return {{ expression }}
{%- endmacro %}


{#-
    True, for the conditions of a step that several later ones read. Spark puts the SQL of a step wherever it is read, and of one that is read in many places
    through several others makes hundreds of scans; what looks as if it were drawn by lot it computes once.
-#}
{% macro computed_once() -%}{{ adapter.dispatch('computed_once')() }}{%- endmacro %}

{% macro duckdb__computed_once() -%}true{%- endmacro %}

{% macro spark__computed_once() -%}rand(0) >= 0{%- endmacro %}


{#- The name of the engine and its version, as in 'Spark 4.1.1'. -#}
{% macro engine_version() -%}{{ adapter.dispatch('engine_version')() }}{%- endmacro %}

{% macro duckdb__engine_version() -%}'DuckDB ' || ltrim(version(), 'v'){%- endmacro %}

{% macro spark__engine_version() -%}'Spark ' || split(version(), ' ')[0]{%- endmacro %}


{#-
    Whether the values of a column are seen to be all different, far cheaper than by a GROUP BY. `relation` is a table or a query in brackets; a NULL is
    no value. False says nothing: the values may be texts, or lie too far apart; or the engine has no such way.
-#}
{% macro are_seen_to_differ(relation, column) %}{% do return(adapter.dispatch('are_seen_to_differ')(relation, column)) %}{% endmacro %}

{% macro default__are_seen_to_differ(relation, column) %}{% do return(false) %}{% endmacro %}

{% macro duckdb__are_seen_to_differ(relation, column) %}
    {% if not execute %}{% do return(false) %}{% endif %}
    {#- A bitmap with one bit for each number from the lowest to the highest. Beyond 8 bits a value a GROUP BY is cheaper; DuckDB allows a billion bits. -#}
    {% set most_bits_per_value, most_bits = 8, 1000000000 %}
    {% set query %}
        select min({{ column }}) as lowest, max({{ column }}) as highest, count({{ column }}) as n_values
        from {{ relation }}
        having
            typeof(lowest) in ('INTEGER', 'BIGINT')
            and try_cast(highest as hugeint) - try_cast(lowest as hugeint) < least({{ most_bits_per_value }} * n_values, {{ most_bits }})
    {% endset %}
    {% for row in run_query(query) %}
        {% set query %}
            select bit_count(bitstring_agg({{ column }}, cast({{ row['lowest'] }} as bigint), cast({{ row['highest'] }} as bigint)))
            from {{ relation }}
        {% endset %}
        {% do return(run_query(query).columns[0].values()[0] | int == row['n_values'] | int) %}
    {% endfor %}
    {% do return(false) %}
{% endmacro %}


{#- The database of what is not published; Spark has none but the catalog of the session. -#}
{% macro scratch_database() %}{% do return(adapter.dispatch('scratch_database')()) %}{% endmacro %}

{% macro duckdb__scratch_database() %}{% do return('scratch') %}{% endmacro %}

{% macro spark__scratch_database() %}{% do return(none) %}{% endmacro %}


{#- The database that readers see a copy of. -#}
{% macro published_database() %}{% do return(adapter.dispatch('published_database')()) %}{% endmacro %}

{% macro duckdb__published_database() %}{% do return(target.database) %}{% endmacro %}

{% macro spark__published_database() %}{% do return(none) %}{% endmacro %}
