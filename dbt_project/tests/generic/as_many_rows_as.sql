{#- Passes where the model and the relation `to` have the same number of rows. -#}
{% test as_many_rows_as(model, to) %}
    with

    counts as (
        select
            (select count(*) from {{ model }}) as n_rows,
            (select count(*) from {{ to }}) as n_expected
    ),

    final as (
        select
            n_rows,
            n_expected
        from counts
        where n_rows <> n_expected
    )

    select * from final
{% endtest %}
