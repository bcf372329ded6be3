{#-
    Where tables are on Spark, and how a build makes them. The schema of the profile has views alone, which is what readers see; another one the tables of
    builds, each of which has the number of its build in its name and stays as it is; and a third what is only appended to.
-#}


{#- Of the tables that builds make; with the name state, of those that they append to. -#}
{% macro spark__generate_schema_name(custom_schema_name, node) %}
    {% set is_state = custom_schema_name == 'state' or (node and node.config.materialized == 'incremental') %}
    {% do return(target.schema ~ ('_state' if is_state else '_work')) %}
{% endmacro %}


{#-
    A table under the number of this build, and a view by which the other models of the build find it: nothing is renamed when it is published, and nothing
    that readers see is touched before.
-#}
{% materialization table, adapter='spark', supported_languages=['sql', 'python'] %}
    {%- set view = this.incorporate(type='view') -%}
    {%- set table = this.incorporate(path={'identifier': this.identifier ~ '__' ~ graph.earlier_builds.build_number}, type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing and not existing.is_view %}{% do adapter.drop_relation(existing) %}{% endif -%}
    {%- if load_cached_relation(table) %}{% do adapter.drop_relation(table) %}{% endif -%}
    {%- call statement('main', language=model.language) -%}
        {{ create_table_as(false, table, compiled_code, model.language) }}
    {%- endcall -%}
    {%- call statement('view') -%}
        create or replace view {{ view }} as select * from {{ table }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [view, table]}) }}
{% endmaterialization %}


{#- The comments are those of the views that readers see. -#}
{% macro spark__persist_docs(relation, model, for_relation, for_columns) %}{% endmacro %}


{#- Lists the kept builds, or goes back to one: dbt run-operation restore, with --args '{build: 12}' for the latter. -#}
{% macro restore(build=none) %}
    {% do _refuse_on_duckdb('make restore') %}
    {% do _publishing_step('restore', {'build': build}) %}
{% endmacro %}


{#- Erases customers from everything that is kept: dbt run-operation erase --args '{keys: [4711]}'. -#}
{% macro erase(keys) %}
    {% do _refuse_on_duckdb('make erase') %}
    {% do _publishing_step('erase', {'keys': keys}) %}
{% endmacro %}


{% macro _refuse_on_duckdb(command) %}
    {% if target.type == 'duckdb' %}
        {% do exceptions.raise_compiler_error('This is for Spark (--target spark): on DuckDB, use ' ~ command ~ '.') %}
    {% endif %}
{% endmacro %}


{#-
    In tables that are appended to, each build has a partition of its own: so one that was not committed can be taken out, and sessions of readers, which
    remember the files of a table but not its partitions, see what is new.
-#}
{% macro spark__partition_cols(label, required) %}
    {%- if config.get('materialized') == 'incremental' %}{{ label }} (build_id){% endif -%}
{% endmacro %}
