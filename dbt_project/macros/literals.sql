{#- SQL literals, separated by commas; SQL text cannot hold a zero byte. -#}
{% macro sql_texts(texts) -%}{{ adapter.dispatch('sql_texts')(texts) }}{%- endmacro %}

{% macro duckdb__sql_texts(texts) -%}
    '{{ texts | map('replace', "'", "''") | map('replace', '\0', '') | join("', '") }}'
{%- endmacro %}

{#- Two quotes end one literal and begin another before Spark 4. -#}
{% macro spark__sql_texts(texts) -%}
    '{{ texts | map('replace', '\\', '\\\\') | map('replace', "'", "\\'") | map('replace', '\0', '') | join("', '") }}'
{%- endmacro %}


{#- A list of SQL literals. -#}
{% macro sql_list(texts) -%}{{ adapter.dispatch('sql_list')(texts) }}{%- endmacro %}

{% macro duckdb__sql_list(texts) -%}[{{ sql_texts(texts) }}]{%- endmacro %}

{% macro spark__sql_list(texts) -%}array({{ sql_texts(texts) }}){%- endmacro %}
