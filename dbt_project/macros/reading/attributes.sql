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
            min_by(unread.source_file, unread.row_id) as source_file,
            min(unread.row_id) - min_by(files.first_row_id, unread.row_id) + 1 as line_number
        from (
            select row_id, source_file, unnest(string_split(unread_attributes, ', ')) as name
            from {{ records }}
            where unread_attributes is not null and reasons is null and row_id not in (select row_id from {{ repeats }})
        ) as unread
        inner join (select source_file, min(rowid) as first_row_id from {{ lines }} group by source_file) as files
            on unread.source_file = files.source_file
        group by unread.name
        order by unread.name
    {% endset %}
    {% for row in run_query(query).rows if typed %}
        {% set attribute = typed | selectattr('name', 'equalto', row['name']) | first %}
        {% set is_one = row['n_values'] | int == 1 %}
        {% do exceptions.warn(
            row['n_values'] ~ ' ' ~ ('value' if is_one else 'values') ~ ' of ' ~ attribute.name ~ ' ' ~ words[attribute.data_type][0 if is_one else 1]
            ~ ' and ' ~ ('counts' if is_one else 'count') ~ ' as not given, ' ~ ('' if is_one else 'the first one ') ~ 'in ' ~ row['source_file']
            ~ ', line ' ~ row['line_number'] ~ '; mend the file, or adapt the attribute in dbt_project.yml, vars, ' ~ table.source.block ~ '.'
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
            when {{ source_file }} in ({{ sql_texts(layout.files) }}) then {{ _masked_text(raw_record, layout) if layout.delimiter else _masked_object(raw_record, layout) }}
            {%- endfor %}
            else {{ raw_record }}
        end
    {%- else -%}
        {{ raw_record }}
    {%- endif -%}
{%- endmacro %}


{#- A line, written anew from its fields: a field is quoted where it has to be. -#}
{% macro _masked_text(raw_record, layout) -%}
    {%- set delimiter = "'" ~ layout.delimiter ~ "'" -%}
    [
        case
            when len(fields) = {{ layout.n_fields }}
                then array_to_string(
                    list_transform(
                        fields,
                        lambda field, position: case
                            when field <> '' and position in ({{ layout.masked | join(', ') }}) then '(personal)'
                            when contains(field, {{ delimiter }}) or contains(field, '"') or contains(field, chr(10))
                                then '"' || replace(field, '"', '""') || '"'
                            else field
                        end
                    ),
                    {{ delimiter }}
                )
            else '(hidden: where its personal values are cannot be told)'
        end
        for fields in [{{ split_record(raw_record, layout.delimiter) }}]
    ][1]
{%- endmacro %}


{#- A row of Parquet, which is kept as a JSON object. -#}
{% macro _masked_object(raw_record, layout) -%}
    {%- set masks = {} -%}
    {%- for header in layout.masked -%}{%- do masks.update({header: '(personal)'}) -%}{%- endfor -%}
    cast(json_merge_patch(cast({{ raw_record }} as json), {{ sql_texts([tojson(masks)]) }}) as varchar)
{%- endmacro %}
