{#- SQL literals, separated by commas; SQL text cannot hold a zero byte. -#}
{% macro sql_texts(texts) %}'{{ texts | map('replace', "'", "''") | map('replace', '\0', '') | join("', '") }}'{% endmacro %}


{% macro sql_list(texts) %}[{{ sql_texts(texts) }}]{% endmacro %}
