{#-
    How dbt makes tables and describes them, in fewer statements than its own macros take: a third of a small build were such statements.
-#}


{#-
    Dbt's own makes a table under another name, renames both and drops the old one, so that readers always find one. Nobody reads the files that builds
    work in, and a table that cannot be made leaves the one that was there.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% set existing = load_cached_relation(this) %}
    {% if existing and not existing.is_table %}{% do drop_relation_if_exists(existing) %}{% endif %}
    {% call statement('main', language=model.language) -%}
        {{ modules.re.sub(
            'create\\s+table\\s+(?=' ~ modules.re.escape(relation | string) ~ ')', 'create or replace table ',
            create_table_as(false, relation, compiled_code, model.language)
        ) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(relation, model) %}
    {{ adapter.commit() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{#-
    Writes what the YAML files say of a relation and of its columns into the database, in one statement. Dbt's own asks first which columns there are, and
    takes a statement for the relation and one for the columns; where a contract holds, the columns are those described.
-#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {% if not config.persist_relation_docs() %}{% do return('') %}{% endif %}
    {% if not model.config.contract.enforced %}{% do return(dbt.default__persist_docs(relation, model, for_relation, for_columns)) %}{% endif %}
    {% set statements = ['comment on ' ~ relation.type ~ ' ' ~ relation ~ ' is ' ~ duckdb_escape_comment(model.description)] %}
    {% for column in model.columns.values() if column.description %}
        {% do statements.append('comment on column ' ~ relation ~ '.' ~ adapter.quote(column.name) ~ ' is ' ~ duckdb_escape_comment(column.description)) %}
    {% endfor %}
    {% do run_query(statements | join(';\n')) %}
{% endmacro %}
