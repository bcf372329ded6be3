{#-
    Whether the values of a column are seen to be all different, by a bitmap with one bit for each number between the lowest and the highest: far less
    work than a GROUP BY. False says nothing: the values may be no whole numbers, or lie so far apart that most of the bits would stay empty. `relation` is
    a table or a query in brackets; a NULL is no value.
-#}
{% macro are_seen_to_differ(relation, column) %}
    {% if not execute %}{% do return(false) %}{% endif %}
    {#- The second is a limit of DuckDB. -#}
    {% set most_bits_per_value, most_bits = 8, 1000000000 %}
    {% set query %}
        select min({{ column }}) as lowest, max({{ column }}) as highest, count({{ column }}) as n_values
        from {{ relation }}
        having
            typeof(lowest) in ('INTEGER', 'BIGINT')
            and try_cast(highest as hugeint) - try_cast(lowest as hugeint) < least({{ most_bits_per_value }} * n_values, {{ most_bits }})
    {% endset %}
    {% for row in run_query(query) %}
        {% set query %}
            select bit_count(bitstring_agg({{ column }}, cast({{ row['lowest'] }} as bigint), cast({{ row['highest'] }} as bigint)))
            from {{ relation }}
        {% endset %}
        {% do return(run_query(query).columns[0].values()[0] | int == row['n_values'] | int) %}
    {% endfor %}
    {% do return(false) %}
{% endmacro %}
