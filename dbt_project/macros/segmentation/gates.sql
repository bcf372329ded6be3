{#-
    A data test that tells people what to do: `query` gives one `sentence` for each thing that is wrong. With the severity error
    the sentence is the error that stops the build; with warn it is printed and the build goes on.
-#}
{% macro sentences_reported(query, severity) %}
    {%- set is_warning = severity | lower == 'warn' -%}
    {%- if execute and is_warning -%}
        {%- for row in run_query(query) -%}
            {%- do exceptions.warn(row['sentence']) -%}
        {%- endfor -%}
    {%- endif -%}
    {#- An aggregate has seen all rows. Without it Spark raises a sentence before it looks at the conditions under which it would be a row. -#}
    select sentence
    from {{ '(' ~ query ~ ')' if is_warning else '(select any_value(sentence) as sentence from (' ~ query ~ ') as problems)' }} as problems
    {% if not is_warning -%}
    where case when sentence is not null then {{ raised('sentence') }} is not null end
    {%- endif %}
{%- endmacro %}


{#- The same with the severity that the configuration gives the gate of that name. -#}
{% macro gate(name, query) %}{{ sentences_reported(query, segmentation().gates[name].severity) }}{% endmacro %}
