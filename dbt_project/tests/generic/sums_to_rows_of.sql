{#- Passes where the column sums to the number of rows of the relation `to`. -#}
{% test sums_to_rows_of(model, column_name, to) %}
    with

    sums as (
        select
            (select coalesce(sum({{ column_name }}), 0) from {{ model }}) as total,
            (select count(*) from {{ to }}) as n_expected
    ),

    final as (
        select
            total,
            n_expected
        from sums
        where total <> n_expected
    )

    select * from final
{% endtest %}
