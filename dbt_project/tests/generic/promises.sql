{#-
    Passes where a table keeps all its promises. Otherwise the test fails with one sentence that names every broken one and how often it is broken.

    `one_row_per` lists columns or expressions: no two rows share them all, and none is NULL. The other arguments map the words of a promise to a boolean
    expression, which has to be true; NULL is not. It may hold subqueries on a ref(). Where `rows_where` is given, a condition, only such rows are looked at.
    - `in_every_row`: an expression over the columns.
    - `in_all`: an expression over aggregates of all rows.
    - `in_every_group`: {per: columns, holds: expression over aggregates}.
-#}
{% test promises(model, rows_where=none, one_row_per=[], in_every_row={}, in_all={}, in_every_group={}) %}
    {#- Only a table with a row for each customer is so large that looking for repeated keys is worth a shortcut. -#}
    {%- set rows = '(select * from ' ~ model ~ ' where ' ~ rows_where ~ ')' if rows_where else model -%}
    {%- set is_seen_unique = one_row_per == [segmentation('').key.name] and are_seen_to_differ(rows, one_row_per[0]) -%}
    {%- set promises = [] -%}
    {%- if one_row_per -%}{%- do promises.append(('one row per ' ~ one_row_per | join(', '), 'n_keys', 'key')) -%}{%- endif -%}
    {%- for words in in_every_row -%}{%- do promises.append((words, 'n_rows_' ~ loop.index, 'row')) -%}{%- endfor -%}
    {%- for words in in_every_group -%}{%- do promises.append((words, 'n_groups_' ~ loop.index, 'group')) -%}{%- endfor -%}
    {%- for words in in_all -%}{%- do promises.append((words, 'n_tables_' ~ loop.index, 'table')) -%}{%- endfor -%}
    {%- set query %}
        with

        checked as (
            select * from {{ rows }}
        ),

        counts as (
            select
                {%- if is_seen_unique %}
                count(*) - count({{ one_row_per[0] }}) as n_keys,
                {%- elif one_row_per %}
                (
                    select count(*)
                    from (
                        select count(*) as n_rows
                        from checked
                        group by {{ one_row_per | join(', ') }}
                        having count(*) > 1 or {{ one_row_per | join(' is null or ') }} is null
                    ) as broken_keys
                ) as n_keys,
                {%- endif %}
                {%- for condition in in_every_row.values() %}
                coalesce(sum(case when {{ condition }} then 0 else 1 end), 0) as n_rows_{{ loop.index }},
                {%- endfor %}
                {%- for group in in_every_group.values() %}
                (
                    select count(*)
                    from (
                        select count(*) as n_rows
                        from checked
                        group by {{ group.per | join(', ') }}
                        having not coalesce({{ group.holds }}, false)
                    ) as broken_groups
                ) as n_groups_{{ loop.index }},
                {%- endfor %}
                {%- for condition in in_all.values() %}
                case when {{ condition }} then 0 else 1 end as n_tables_{{ loop.index }},
                {%- endfor %}
                count(*) as n_rows
            from checked
        ),

        broken as (
            {%- for words, count, unit in promises %}
            select
                {{ loop.index }} as place,
                {{ sql_texts([words]) }}
                {%- if unit != 'table' %} || ' (' || {{ count }} || case when {{ count }} = 1 then ' {{ unit }})' else ' {{ unit }}s)' end{% endif %} as words
            from counts
            where {{ count }} > 0
            {{ "union all" if not loop.last }}
            {%- endfor %}
        )

        select {{ sql_texts([model.identifier ~ ' does not hold: ']) }} || {{ joined_texts('words', '; ', 'place') }} as sentence
        from broken
        having count(*) > 0
    {%- endset %}
    {{ sentences_reported(query, config.get('severity', 'error')) }}
{% endtest %}
