{%- set settings = segmentation() -%}
{%- set key = settings.key -%}
{%- set columns = [key] + settings.attributes + settings.features -%}
{%- set layouts = source_layouts(ref('base_customers')) -%}
with

base_customers as (
    select
        rowid as row_id,
        source_file,
        raw_record
    from {{ ref('base_customers') }}
    where trim(raw_record) <> ''
),

base_customers_multiline as (
    select * from {{ ref('base_customers_multiline') }}
),

continuation_lines as (
    select unnest(generate_series(first_row_id + 1, last_row_id)) as row_id
    from base_customers_multiline
),

records as (
    select
        base_customers.row_id,
        base_customers.source_file,
        coalesce(base_customers_multiline.raw_record, base_customers.raw_record) as raw_record
    from base_customers
    left join base_customers_multiline on base_customers.row_id = base_customers_multiline.first_row_id
    anti join continuation_lines on base_customers.row_id = continuation_lines.row_id
),

{% for layout in layouts %}
split_{{ loop.index }} as (
    select
        {% if layout.delimiter %}
        {{ split_record('raw_record', layout.delimiter) }} as _parts,
        {% else %}
        json_extract_string(raw_record, {{ json_paths(columns, layout.fields) }}) as _parts,
        {% endif %}
        row_id
    from records
    where
        source_file in ({{ sql_texts(layout.files) }})
        and row_id not in ({{ layout.header_row_ids | join(', ') or -1 }})
),

texts_{{ loop.index }} as (
    select
        {% for column in columns %}
        {{ field_text('_parts[' ~ (layout.fields[column.name] if layout.delimiter else loop.index) ~ ']', column in settings.attributes) }}
            as {{ column.name }},
        {% endfor %}
        case
            when _parts is null then 'quotes are not balanced'
            when len(_parts) < {{ layout.n_fields }} then 'too few fields'
            when len(_parts) > {{ layout.n_fields }} then 'too many fields'
        end as _layout_reason,
        row_id
    from split_{{ loop.index }}
),
{% endfor %}

texts as (
    {% for layout in layouts %}
    select * from texts_{{ loop.index }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

numbers as (
    select
        {% for feature in settings.features %}
        {{ number(feature.name, settings.source.decimal_separator) }} as _number_{{ feature.name }},
        {% endfor %}
        *
    from texts
),

final as (
    select
        try_cast({{ key.name }} as {{ key.data_type }}) as {{ key.name }},
        {% for attribute in settings.attributes %}
        {{ attribute.name }},
        {% endfor %}
        {% for feature in settings.features %}
        try_cast(_number_{{ feature.name }} as {{ feature.data_type }}) as {{ feature.name }},
        {% endfor %}
        -- The fields of a record that is laid out wrongly cannot be told apart, so nothing else is said about it.
        coalesce(_layout_reason, {{ row_reasons(settings) }}) as reasons,
        row_id
    from numbers
)

select * from final
