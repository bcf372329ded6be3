{#-
    Beside the first segmentation there may be others, each with a block of its own: `rfm_segmentation:` is behind the models that start with rfm_ or
    int_rfm_. Their files say only which model of the first segmentation they are like; its SQL is rendered once more, with their configuration and on
    their tables.
-#}


{#- The block that the node being rendered is configured by. -#}
{% macro segmentation_block() %}{% do return(segmentation_prefix() ~ 'segmentation') %}{% endmacro %}


{#- 'rfm_' for a node of the segmentation rfm, by default the one being rendered; '' for those of the first. -#}
{% macro segmentation_prefix(node=model) %}
    {% set name = node.name %}
    {% set prefix = (name[4:] if name.startswith('int_') else name).split('_')[0] ~ '_' %}
    {% do return(prefix if var(prefix ~ 'segmentation', none) else '') %}
{% endmacro %}


{#-
    The SQL of a model or data test of the first segmentation, on the tables of this one. `tables` are refs to what it reads, for dbt to know the order:
    they can be listed only here, because the other file is unknown while this one is parsed.
-#}
{% macro like(name, tables) %}
    {% if not segmentation_prefix() %}
        {% set block = (model.name[4:] if model.name.startswith('int_') else model.name).split('_')[0] ~ '_segmentation' %}
        {% do exceptions.raise_compiler_error(
            'dbt_project.yml, vars: ' ~ block ~ ': is missing, by which ' ~ model.name ~ ' is configured; write it again, or delete the files of this segmentation.'
        ) %}
    {% endif %}
    {% do config(enabled=has_what_it_needs()) %}
    {% if model.resource_type == 'model' %}
        {% do config(pre_hook="{{ declare_as_in('" ~ name ~ "') }}", post_hook="{{ render_hooks_of('" ~ name ~ "', 'post-hook') }}") %}
    {% endif %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set first = node_named(name) %}
    {% set code = namespace(sql=first.raw_code) %}
    {% for reference in first.refs %}
        {% set code.sql = code.sql | replace("ref('" ~ reference.name ~ "')", "ref('" ~ counterpart(reference.name) ~ "')") %}
    {% endfor %}
    {% do return(render(code.sql)) %}
{% endmacro %}


{#- The YAML files of the Python models, the seed and the snapshot say the same. -#}
{% macro has_what_it_needs() %}{% do return(var(segmentation_block()).needs != 'orders' or has_orders()) %}{% endmacro %}


{#- What stands in this segmentation where the first has `name`; the name itself, where both share it. -#}
{% macro counterpart(name) %}
    {% if name == 'stg_customers' %}{% do return(segmentation().customers) %}{% endif %}
    {% set own = 'int_' ~ segmentation_prefix() ~ name[4:] if name.startswith('int_') else segmentation_prefix() ~ name %}
    {% do return(own if node_named(own) else name) %}
{% endmacro %}


{% macro node_named(name) %}
    {% for node in graph.nodes.values() if node.name == name and node.package_name == project_name %}{% do return(node) %}{% endfor %}
    {% do return(none) %}
{% endmacro %}


{#- Runs before the model: its columns, their types and what is written into the database about them are those of the other. -#}
{% macro declare_as_in(name) %}
    {% if execute %}
        {% set first = node_named(name) %}
        {% do declare_columns(first.columns.values()) %}
        {% do model.update({'description': first.description}) %}
        {{- render_hooks_of(name, 'pre-hook') -}}
    {% endif %}
{% endmacro %}


{% macro render_hooks_of(name, kind) %}
    {%- if execute -%}
        {%- for hook in node_named(name).config[kind] -%}{{ render(hook.sql) }}{%- endfor -%}
    {%- endif -%}
{% endmacro %}
