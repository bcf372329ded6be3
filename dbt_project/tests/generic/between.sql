{#- Passes where every value of the column lies from `lowest` to `highest`, both included; NULL passes, NaN does not. -#}
{% test between(model, column_name, lowest, highest) %}
    with

    checked as (
        select * from {{ model }}
    ),

    final as (
        select {{ column_name }}
        from checked
        where not {{ column_name }} between {{ lowest }} and {{ highest }}
    )

    select * from final
{% endtest %}
