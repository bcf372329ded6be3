{#-
    Whether the values of a column are proven to be all different. The proof sets one bit for each value in a bitmap of the numbers from the lowest to
    the highest, and counts the bits, which is far less work than a GROUP BY. False means that nothing is proven: the values may be texts, or lie so far
    apart that the bitmap would be too large. `relation` is a table or a query in brackets; a NULL is no value.
-#}
{% macro are_seen_to_differ(relation, column) %}
    {% if not execute %}{% do return(false) %}{% endif %}
    {#- DuckDB allows no more bits than the second. -#}
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
