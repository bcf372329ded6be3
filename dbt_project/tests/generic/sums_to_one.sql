{#- Passes where the column sums to 1 within each group of the columns `per`, or over all rows where none are given. -#}
{% test sums_to_one(model, column_name, per=[]) %}
    with

    checked as (
        select * from {{ model }}
    ),

    final as (
        select
            {%- for column in per %}
            {{ column }},
            {%- endfor %}
            sum({{ column_name }}) as total
        from checked
        {%- if per %}
        group by {{ per | join(', ') }}
        {%- endif %}
        -- Ten million summed shares are rounded by less than this.
        having count(*) > 0 and abs(coalesce(sum({{ column_name }}), 0) - 1) > 1e-9
    )

    select * from final
{% endtest %}
