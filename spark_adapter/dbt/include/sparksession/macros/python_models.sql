{#-
    Dbt-spark writes Python models as Delta tables unless a file format is configured, and goes by pandas on Spark. Here a model returns a data frame of
    Spark, which is written as the tables of SQL models are.
-#}
{% macro sparksession__create_table_as(temporary, relation, compiled_code, language='sql') -%}
{%- if language == 'python' -%}
{{ compiled_code }}

frame = model(dbtObj(spark.table), spark)
frame.write.mode("overwrite").format("{{ config.get('file_format', 'parquet') }}").saveAsTable("{{ relation }}")
{%- else -%}
{{ spark__create_table_as(temporary, relation, compiled_code, language) }}
{%- endif -%}
{%- endmacro %}
