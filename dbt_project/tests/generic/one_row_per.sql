{#- Passes where no two rows share `columns` and none of them is NULL. `columns` are names or expressions. -#}
{% test one_row_per(model, columns) %}
    with

    checked as (
        select * from {{ model }}
    ),

    final as (
        select
            {{ columns | join(', ') }},
            count(*) as n_rows
        from checked
        group by {{ columns | join(', ') }}
        having
            count(*) > 1
            {%- for column in columns %}
            or {{ column }} is null
            {%- endfor %}
    )

    select * from final
{% endtest %}
