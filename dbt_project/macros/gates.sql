{#-
    A data test that tells people what to do: `query` gives one `sentence` for each thing that is wrong. With the severity error
    the sentence is the error that stops the build; with warn it is printed and the build goes on.
-#}
{% macro gate(name, query) %}
    {%- set severity = segmentation().gates[name].severity -%}
    {%- if execute and severity == 'warn' -%}
        {%- for row in run_query(query) -%}
            {%- do exceptions.warn(row['sentence']) -%}
        {%- endfor -%}
    {%- endif -%}
    select sentence
    from ({{ query }}) as problems
    {% if severity == 'error' -%}
    where case when sentence is not null then error(sentence) is not null end
    {%- endif %}
{%- endmacro %}
