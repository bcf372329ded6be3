{#- The id of a row of a snapshot. Dbt's own is the same number in hexadecimal: twice as dear to make and to keep. -#}
{% macro duckdb__snapshot_hash_arguments(args) -%}
    md5_number(concat_ws('|', {{ args | join(', ') }}))
{%- endmacro %}
