{#-
    Dbt-spark writes Python models as Delta tables unless a file format is configured, and goes by pandas on Spark. Here a model returns a data frame of
    Spark, which is written as the tables of SQL models are.
-#}
{% macro sparksession__create_table_as(temporary, relation, compiled_code, language='sql') -%}
{%- if language == 'python' -%}
{{ compiled_code }}

frame = model(dbtObj(spark.table), spark)
writer = frame.write.mode("overwrite").format("{{ config.get('file_format', 'parquet') }}")
{%- set partitions = partition_cols('') | replace('(', '') | replace(')', '') | trim %}
{%- if partitions %}
writer = writer.partitionBy(*"{{ partitions }}".split(", "))
{%- endif %}
writer.saveAsTable("{{ relation }}")
{%- else -%}
{{ spark__create_table_as(temporary, relation, compiled_code, language) }}
{%- endif -%}
{%- endmacro %}
