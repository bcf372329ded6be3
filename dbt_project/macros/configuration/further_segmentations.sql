{#-
    Beside the first segmentation there may be others, each with a block of its own: `rfm_segmentation:` configures the nodes whose config says
    meta: {segmentation: rfm}. Their files name the model of the first segmentation whose SQL they share; it is rendered with their configuration, on
    their tables.
-#}


{#- The node whose SQL is being rendered: that which dbt runs, or one of those that are rendered when a build is published. -#}
{% macro rendered_node() %}{% do return(graph.get('rendered_node') or model) %}{% endmacro %}


{#- 'rfm_' for a node of the segmentation rfm, by default the one being rendered; '' for those of the first. -#}
{% macro segmentation_prefix(node=none) %}
    {% set name = ((node or rendered_node()).config.meta or {}).segmentation %}
    {% do return(name ~ '_' if name else '') %}
{% endmacro %}


{#- The name of the block that the node being rendered is configured by. -#}
{% macro segmentation_block() %}{% do return(segmentation_prefix() ~ 'segmentation') %}{% endmacro %}


{#-
    The SQL of the model or data test `name` of the first segmentation, for another one. `reading` maps each table that it reads to the ref that this
    segmentation has in its place. They are listed because dbt wants to know them before it knows the other file. `needs_orders` where there is none without
    orders, whatever the segmentation needs.
-#}
{% macro sql_of(name, segmentation, reading, needs_orders=false) %}
    {% set block = var(segmentation ~ '_segmentation', none) %}
    {% if not block %}
        {% do exceptions.raise_compiler_error(
            'dbt_project.yml, vars: ' ~ segmentation ~ '_segmentation: is missing, by which ' ~ model.name
            ~ ' is configured; write it again, or delete the files of this segmentation.'
        ) %}
    {% endif %}
    {% set is_possible = has_orders() if block.needs == 'orders' else has_customers() %}
    {% do config(enabled=is_possible and (has_orders() or not needs_orders), meta={'segmentation': segmentation}) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set code = namespace(sql=_code_of(name)) %}
    {% for table, relation in reading.items() %}
        {#- An ephemeral model has this prefix, as the CTE that dbt makes of it. -#}
        {% set code.sql = code.sql | replace("ref('" ~ table ~ "')", "ref('" ~ relation.identifier.removeprefix('__dbt__cte__') ~ "')") %}
    {% endfor %}
    {% do return(render(code.sql)) %}
{% endmacro %}


{#-
    The SQL of a file of the first segmentation, also where there are no customers: then its node is disabled, and dbt's graph does not show it.
-#}
{% macro _code_of(name) %}
    {% set node = node_named(name) %}
    {% if node %}{% do return(node.raw_code) %}{% endif %}
    {% for nodes in ref.manifest.disabled.values() if nodes[0].name == name and nodes[0].package_name == project_name %}{% do return(nodes[0].raw_code) %}{% endfor %}
{% endmacro %}


{#- The node of this project with that name, or none. -#}
{% macro node_named(name) %}
    {% for node in graph.nodes.values() if node.name == name and node.package_name == project_name %}{% do return(node) %}{% endfor %}
    {% do return(none) %}
{% endmacro %}
