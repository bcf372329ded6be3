{#-
    The fields of a text record as a list, or NULL where its quotes are not balanced (RFC 4180, section 2, rules 5 to 7).
    The delimiter ' ' stands for any number of spaces: columns of a fixed width, without quotes.
-#}
{% macro split_record(record, delimiter) %}
    {%- if delimiter == ' ' -%}
    list_filter(string_split({{ record }}, ' '), lambda field: field <> '')
    {%- else -%}
    {%- set regex_delimiter = {'\t': '\\t', '|': '\\|'}.get(delimiter, delimiter) -%}
    {%- set field = regex_delimiter ~ '(?:"(?:[^"]|"")*"|[^' ~ regex_delimiter ~ '"\\n][^' ~ regex_delimiter ~ '\\n]*|)' -%}
    {%- set fields = "regexp_extract_all('" ~ delimiter ~ "' || " ~ record ~ ", '" ~ field ~ "')" -%}
    case
        when not contains({{ record }}, '"') then string_split({{ record }}, '{{ delimiter }}')
        -- A list of the one list of fields, so that they are looked for once.
        else [
            case
                when array_to_string(fields, '') = '{{ delimiter }}' || {{ record }}
                    then [
                        case when piece[2] = '"' then replace(piece[3:-2], '""', '"') else piece[2:] end
                        for piece in fields
                    ]
            end
            for fields in [{{ fields }}]
        ][1]
    end
    {%- endif -%}
{%- endmacro %}
