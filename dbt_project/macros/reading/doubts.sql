{#-
    The names of the columns of layouts in whose numbers a point may be that of thousands, as the configuration does not say what it is. Nor do the first
    rows; nearly always they do, and then no row is asked again.
-#}
{% macro columns_in_doubt(layouts, table) %}
    {% set names, clear = [], [] %}
    {% for layout in layouts %}
        {% set asked = layout.columns | selectattr('may_ask', 'defined') | selectattr('may_ask') | rejectattr('is_typed') | list %}
        {% do names.extend(asked | map(attribute='name')) %}
        {% if asked %}
            {% set query %}
                select
                    {% for column in asked %}
                    {% set part = _parts_of(layout, table)[column.name] %}
                    {% if column.is_mixed %}
                        {% set part = 'case when ' ~ _json_type_of(column, layout) ~ " = 'VARCHAR' then " ~ part ~ ' end' %}
                    {% endif %}
                    bool_or({{ _shows_what_it_is(_without_signs(column, _trimmed(part)), '.') }}) as {{ column.name }}{{ ',' if not loop.last }}
                    {% endfor %}
                from (select * from ({{ lines_of(layout) }}) limit 1000)
            {% endset %}
            {% for row in run_query(query) %}
                {% for column in asked if row[column.name] %}{% do clear.append(column.name) %}{% endfor %}
            {% endfor %}
        {% endif %}
    {% endfor %}
    {% do return(names | unique | reject('in', clear) | list) %}
{% endmacro %}


{#-
    Stops dbt where what a point or a comma is can be read in two ways, and no value of the column shows which: with decimal_separator and
    thousands_separator undeclared, 5.234 would be read as five, and 5,234 be refused. The texts of all records that have such a value are kept, and
    where nothing but headers is kept, nothing is asked.
-#}
{% macro require_one_reading(lines, records, table) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set layouts = source_layouts(table) %}
    {% set n_headers = layouts | selectattr('has_header') | map(attribute='files') | map('length') | sum %}
    {% set n_kept = 'select count(*) from (select 1 from ' ~ lines ~ ' where raw_record is not null limit ' ~ (n_headers + 1) ~ ')' %}
    {% set may_ask = table.columns | selectattr('may_ask', 'defined') | selectattr('may_ask') | map(attribute='name') | list %}
    {% set texts = [] %}
    {% for layout in layouts %}
        {% for column in layout.columns if column.name in may_ask and not column.is_typed %}
            {% do texts.append(
                "select '" ~ column.name ~ "' as name, " ~ (column.name in layout.in_doubt) ~ " as is_in_doubt, " ~ _without_signs(column, _trimmed('field'))
                ~ ' as text from (select ' ~ kept_field(layout, column) ~ ' as field from kept where source_file in (' ~ sql_texts(layout.files) ~ '))'
            ) %}
        {% endfor %}
    {% endfor %}
    {% if not texts or run_query(n_kept).columns[0].values()[0] <= n_headers %}{% do return('') %}{% endif %}
    {% set query %}
        with

        kept as (
            select
                source_file,
                raw_record
            from {{ records }}
            where raw_record is not null
        ),

        texts as (
            {{ texts | join(' union all ') }}
        )

        {% for mark in ['.', ','] %}
        select
            name,
            '{{ mark }}' as mark,
            min_by(text, length(text)) filter (where {{ _has_thousands('text', mark) }}) as example
        from texts
        {{ "where is_in_doubt" if mark == '.' }}
        group by name
        having example is not null and not coalesce(bool_or({{ _shows_what_it_is('text', mark) }}), false)
        {{ "union all" if not loop.last }}
        {% endfor %}
        order by name, mark
    {% endset %}
    {% for row in run_query(query) %}
        {% do exceptions.raise_compiler_error(table.source.name ~ ': ' ~ _question(row['name'], row['mark'], row['example'], table.source.block)) %}
    {% endfor %}
{% endmacro %}


{#- The question that stops the build, with the shortest of the values: 1.234.567 has thousands, and only the setting is missing. -#}
{% macro _question(name, mark, example, block) -%}
    {%- set where = ' for ' ~ name ~ ', or under source: for all columns, in dbt_project.yml, vars, ' ~ block ~ '.' -%}
    {%- set digits, thousands = example | replace(mark, ''), 'thousands_separator: "' ~ mark ~ '"' -%}
    {%- if example.count(mark) > 1 -%}
        "{{ example }}" in {{ name }} is {{ digits }} with separators that are not declared; set {{ thousands ~ where }}
    {%- else -%}
        "{{ example }}" in {{ name }} may be {{ digits }} or {{ example | replace(mark, '.') | float | round(3) }}, and no other value of the column shows which; set {{ thousands }} if it is {{ digits }}, or decimal_separator: "{{ mark }}" if it is not,{{ where }}
    {%- endif -%}
{%- endmacro %}


{#-
    What was seen in the columns for whose numbers or dates too many records are refused, in sentences that name the settings that read them; '' where not
    too many are. `n_accepted` is a query that counts the accepted records.
-#}
{% macro what_was_seen(rejected, n_accepted, table, condition='true') %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set too_many %}
        select 1
        from {{ rejected }}
        where {{ condition }}
        having count(*) > {{ table.source.max_rejected_share }} * (count(*) + ({{ n_accepted }}))
    {% endset %}
    {% if not run_query(too_many).rows %}{% do return('') %}{% endif %}
    {% set texts = {} %}
    {% for layout in source_layouts(table) %}
        {% for column in layout.columns if column.kind in ['feature', 'moment'] and not column.is_typed %}
            {% set query %}
                select {{ kept_field(layout, column) }} as text
                from {{ rejected }}
                where
                    source_file in ({{ sql_texts(layout.files) }})
                    and {{ matches('reasons', '(^|; )' ~ column.name ~ ' (is not a (number|date)|has no percent|is in another currency)') }}
                order by source_file, line_number
                limit 10000
            {% endset %}
            {% do texts.update({column.name: texts.get(column.name, []) + run_query(query).columns[0].values() | list}) %}
        {% endfor %}
    {% endfor %}
    {% set request = {'texts': texts} %}
    {% do _ask_source_files('look_at', table.source, request) %}
    {% set seen = request.seen | select | list %}
    {% do return(' ' ~ seen | join('. ') ~ '.' if seen else '') %}
{% endmacro %}


{#- The text of a field in a record whose text is kept. What is no text in JSON is a number of its own, and not in doubt. -#}
{% macro kept_field(layout, column) -%}
    {%- set place = layout.fields[column.name] -%}
    {%- if layout.delimiter == 'json' -%}
        {%- set path = sql_texts([place]) -%}
        case when {{ is_json_object('raw_record') }} and json_type(raw_record, {{ path }}) = 'VARCHAR' then json_extract_string(raw_record, {{ path }}) end
    {%- elif layout.delimiter -%}
        {{ item_of(split_record('raw_record', layout.delimiter), place) }}
    {%- else -%}
        {{ text_in_json('raw_record', place) }}
    {%- endif -%}
{%- endmacro %}


{#- Whether a text has a mark, a point or a comma, where separators of thousands stand. 0.731 has not. -#}
{% macro _has_thousands(text, mark) -%}
    {{ matches_whole(text, '[-−+]?[1-9][0-9]{0,2}([' ~ mark ~ '][0-9]{3})+') }}
{%- endmacro %}


{#- Whether a text shows that a mark is that of decimals; a comma may also be shown to be that of thousands, by a point behind. -#}
{% macro _shows_what_it_is(text, mark) -%}
    contains({{ text }}, '{{ mark }}') and not {{ _has_thousands(text, mark) }} and (
        {%- if mark == '.' -%}
        {{ number_in(text) }} is not null
        {%- else -%}
        {{ number_in('translate(' ~ text ~ ", ',._', '.xx')") }} is not null
        or {{ matches_whole(text, '[-−+]?[1-9][0-9]{0,2}(,[0-9]{3})+[.][0-9]*') }}
        {%- endif -%}
    )
{%- endmacro %}
