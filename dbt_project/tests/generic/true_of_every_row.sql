{#-
    Passes where no two rows share the `key`, it is never NULL, and each of the `conditions`, boolean expressions, is true of every row; one that is NULL
    does not pass. One scan of a large table serves all.
-#}
{% test true_of_every_row(model, key, conditions) %}
    with

    checked as (
        select * from {{ model }}
    ),

    counts as (
        select
            {%- for condition in conditions %}
            count(*) filter (where not coalesce({{ condition }}, false)) as n_broken_{{ loop.index }},
            {%- endfor %}
            count(*) - count({{ '' if are_seen_to_differ(model, key) else 'distinct ' }}{{ key }}) as n_broken_0
        from checked
    ),

    final as (
        {%- for condition in ['one row per ' ~ key] + conditions %}
        select
            {{ sql_texts([condition]) }} as condition,
            n_broken_{{ loop.index0 }} as n_rows
        from counts
        where n_broken_{{ loop.index0 }} > 0
        {{ "union all" if not loop.last }}
        {%- endfor %}
    )

    select * from final
{% endtest %}
