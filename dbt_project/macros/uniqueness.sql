{#-
    Whether the values of a column are seen to be all different, by a bitmap with one bit for each number between the least and the greatest: far less
    work than a GROUP BY. False says nothing: the values may be no whole numbers, or lie so far apart that most of the bits would stay empty. `relation` is
    a table or a query in brackets; a NULL is no value.
-#}
{% macro are_seen_to_differ(relation, column) %}
    {% if not execute %}{% do return(false) %}{% endif %}
    {% set most_bits_per_value = 8 %}
    {% set query %}
        select min({{ column }}) as least, max({{ column }}) as greatest, count({{ column }}) as n_values
        from {{ relation }}
        having
            typeof(least) in ('INTEGER', 'BIGINT')
            and try_cast(greatest as hugeint) - try_cast(least as hugeint) < {{ most_bits_per_value }} * n_values
    {% endset %}
    {% for row in run_query(query) %}
        {% set query %}
            select bit_count(bitstring_agg({{ column }}, cast({{ row['least'] }} as bigint), cast({{ row['greatest'] }} as bigint)))
            from {{ relation }}
        {% endset %}
        {% do return(run_query(query).columns[0].values()[0] | int == row['n_values'] | int) %}
    {% endfor %}
    {% do return(false) %}
{% endmacro %}
