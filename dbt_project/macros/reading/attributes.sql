{#- The column unread_attributes in a list of columns, where there are attributes that are no texts; nearly all values of it would be NULL, which is not free. -#}
{% macro with_unread_attributes(table, relation='') -%}
    {%- set attributes = table.columns | selectattr('kind', 'equalto', 'attribute') | list + (table.source.personal or []) -%}
    {{ relation ~ 'unread_attributes,' if attributes | rejectattr('data_type', 'equalto', 'varchar') | list }}
{%- endmacro %}


{#-
    What is said on the console of the attributes of the accepted customers: how many values are not of their type, and where the first one is; and which
    columns look like e-mail addresses that nobody has called personal. No value is shown.
-#}
{% macro warn_of_attributes(accepted, lines, records, repeats, table) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set words = {
        'double': ('is no number', 'are no numbers'), 'integer': ('is no whole number', 'are no whole numbers'), 'date': ('is no date', 'are no dates'),
        'boolean': ('is neither yes nor no', 'are neither yes nor no')
    } %}
    {% set attributes = table.attributes + table.source.personal %}
    {% set typed = attributes | rejectattr('data_type', 'equalto', 'varchar') | list %}
    {% set query %}
        select
            unread.name,
            count(*) as n_values,
            cast(min_by(unread.source_file, unread.row_id) as string) as source_file,
            {{ line_number('min(unread.row_id) - min_by(files.first_row_id, unread.row_id)', table) }} as line_number
        from (
            select row_id, source_file, {{ unnested({parts_of_text('unread_attributes', ', '): 'name'}) }}
            from {{ records }}
            where unread_attributes is not null and reasons is null and row_id not in (select row_id from {{ repeats }})
        ) as unread
        inner join (select source_file, min(rowid) as first_row_id from {{ lines }} group by source_file) as files
            on unread.source_file = files.source_file
        group by unread.name
        order by unread.name
    {% endset %}
    {% set unread = run_query(query).rows if typed else [] %}
    {% for row in unread %}
        {% set attribute = typed | selectattr('name', 'equalto', row['name']) | first %}
        {% set is_one = row['n_values'] | int == 1 %}
        {% do exceptions.warn(
            row['n_values'] ~ ' ' ~ ('value' if is_one else 'values') ~ ' of ' ~ attribute.name ~ ' ' ~ words[attribute.data_type][0 if is_one else 1]
            ~ ' and ' ~ ('counts' if is_one else 'count') ~ ' as not given, ' ~ ('' if is_one else 'the first one ') ~ 'in ' ~ row['source_file']
            ~ (', line ' ~ row['line_number'] if row['line_number'] is not none else '') ~ '; mend it there, or adapt the attribute in dbt_project.yml, vars, ' ~ table.source.block ~ '.'
        ) %}
    {% endfor %}

    {#- The first hundred thousand customers show it as well as all. -#}
    {% set texts = table.attributes | selectattr('data_type', 'equalto', 'varchar') | map(attribute='name') | list %}
    {% set query %}
        select
            {% for name in texts %}
            count(*) filter (where {{ name }} like '%_@_%._%') as {{ name }},
            count({{ name }}) as n_{{ loop.index }},
            {% endfor %}
            count(*) as n_customers
        from (select * from {{ accepted }} limit 100000) as customers
    {% endset %}
    {% set found = run_query(query).rows[0] if texts else none %}
    {% for name in texts %}
        {% if found[name] and 2 * found[name] > found['n_' ~ loop.index] %}
        {% do exceptions.warn(
            'The attribute ' ~ name ~ ' holds e-mail addresses, which every table of customers shows; to keep them out of all that is published, set '
            ~ 'personal: true for it in dbt_project.yml, vars, ' ~ table.source.block ~ ', attributes.'
        ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{#-
    The text of a rejected record with its personal values hidden; all of it where it cannot be told which they are, because the record is laid out
    wrongly. Without personal columns it is the text as it stands.
-#}
{% macro without_personal_values(raw_record, source_file, table) -%}
    {%- set layouts = source_layouts(table) | selectattr('masked') | list if table.source.personal else [] -%}
    {%- if layouts -%}
        case
            {%- for layout in layouts %}
            when {{ source_file }} in ({{ sql_texts(layout.files) }}) then {{ _masked_object(raw_record, layout) if layout.delimiter in [none, 'json'] else _masked_text(raw_record, layout) }}
            {%- endfor %}
            else {{ raw_record }}
        end
    {%- else -%}
        {{ raw_record }}
    {%- endif -%}
{%- endmacro %}


{#- A line, written anew from its fields: a field is quoted where it has to be. -#}
{% macro _masked_text(raw_record, layout) -%}
    {%- set delimiter = sql_texts([layout.delimiter]) -%}
    {%- set masked_record -%}
        case
            when {{ n_items('fields') }} between {{ layout.n_needed }} and {{ layout.n_fields }} then {{ joined_list(masked_fields('fields', layout.masked, delimiter), layout.delimiter) }}
            else {{ hidden_text() }}
        end
    {%- endset -%}
    {{ with_name('fields', split_record(raw_record, layout.delimiter), masked_record) }}
{%- endmacro %}


{#- A JSON object: a line of such a file, or what is kept of a row of Parquet or of a relation. -#}
{% macro _masked_object(raw_record, layout) -%}
    case
        when {{ is_json_object(raw_record, each_key_once=layout.repeats) }} then {{ masked_object(raw_record, layout.masked) }}
        else {{ hidden_text() }}
    end
{%- endmacro %}


{% macro hidden_text() -%}'(hidden: where its personal values are cannot be told)'{%- endmacro %}
