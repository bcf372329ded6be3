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
