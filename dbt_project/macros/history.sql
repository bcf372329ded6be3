{#-
    The id of a row of a snapshot, of 128 bits: the key and the moment side by side where the key is a number, their hash where it is a text. Dbt's own is
    a hash in hexadecimal, which is dearer to make and to keep.
-#}
{% macro duckdb__snapshot_hash_arguments(args) -%}
    {%- if segmentation('').key.data_type == 'bigint' -%}
    cast(cast({{ args[0] }} as hugeint) + 9223372036854775808 as uhugeint) * cast(18446744073709551616 as uhugeint)
    + cast(epoch_us({{ args[1] }}) as uhugeint)
    {%- else -%}
    md5_number(concat_ws('|', {{ args | join(', ') }}))
    {%- endif -%}
{%- endmacro %}
