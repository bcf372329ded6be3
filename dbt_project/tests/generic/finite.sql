{#- Passes where every value of the numeric `columns` is a finite number: not NULL, not NaN, not infinite. -#}
{% test finite(model, columns) %}
    with

    checked as (
        select * from {{ model }}
    ),

    final as (
        select {{ columns | join(', ') }}
        from checked
        where
            {%- for column in columns %}
            not coalesce(isfinite({{ column }}), false){{ " or" if not loop.last }}
            {%- endfor %}
    )

    select * from final
{% endtest %}
