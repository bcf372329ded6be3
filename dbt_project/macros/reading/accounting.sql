{#-
    CTEs that end in `final`: the one row that breaks records below the headers = accepted + rejected. The lines are counted as they were read, without
    the code that makes records of them; require_usable_lines has compared them with the bytes of the files. Those above the headers were counted when
    the files were looked at.
-#}
{% macro records_unaccounted_for(lines, multiline, accepted, rejected, layouts) %}
files as (
    select
        source_file,
        count(*) filter (where not is_blank) as n_lines
    from {{ lines }}
    group by source_file
),

lines as (
    select
        coalesce(sum(n_lines), 0) as n_lines,
        count(*) filter (where n_lines > 0 and {{ has_header('source_file', layouts) }}) as n_headers
    from files
),

continuation_lines as (
    select {{ numbers_between('first_row_id + 1', 'last_row_id') }} as row_id
    from {{ multiline }}
),

continuations as (
    select count(*) as n_continuations
    from {{ lines }}
    inner join continuation_lines on {{ lines }}.row_id = continuation_lines.row_id
    where not {{ lines }}.is_blank
),

counts as (
    select
        lines.n_lines,
        lines.n_headers,
        {{ n_lines_of_preambles(layouts) }} as n_above_headers,
        continuations.n_continuations,
        (select count(*) from {{ accepted }}) as n_accepted,
        (select count(*) from {{ rejected }}) as n_rejected
    from lines
    cross join continuations
),

final as (
    select *
    from counts
    where n_lines - n_above_headers - n_headers - n_continuations <> n_accepted + n_rejected
)
{%- endmacro %}


{#-
    CTEs that end in `final`: the rejected rows for which `condition` holds. Where they are more than max_rejected_share of all records, the query stops with a sentence instead.
    `n_accepted` is a query that counts the accepted records; `table` is what segmentation() or orders() returns.
-#}
{% macro rejected_rows_within_bounds(rejected, n_accepted, table, what_to_adapt, condition='true') %}
{%- set source = table.source -%}
{%- set sentence -%}
    counts.n_rejected || ' of ' || counts.n_records || ' rows of ' || {{ sql_texts([source.name]) }}
    || ' are refused, more than the share of {{ source.max_rejected_share }} that is allowed (' || counts.commonest_reasons
    || '): query {{ rejected.identifier }} in ' || {{ sql_texts([place_of_tables()]) }}
    || ' for all reasons, then mend the {{ 'table' if source.relation else 'file' }}, adapt the {{ what_to_adapt }} in dbt_project.yml, vars, {{ source.block }}, or raise max_rejected_share there.'
    || {{ sql_texts([what_was_seen(rejected, n_accepted, table, condition)]) }}
{%- endset -%}
rejected as (
    select * from {{ rejected }}
    where {{ condition }}
),

reasons as (
    select
        reasons,
        count(*) as n_times
    from rejected
    group by reasons
),

counts as (
    select
        sum(n_times) as n_rejected,
        sum(n_times) + ({{ n_accepted }}) as n_records,
        max_by(n_times || ' times: ' || reasons, n_times) as commonest_reasons
    from reasons
),

final as (
    select rejected.reasons
    from rejected
    cross join counts
    where
        case
            when counts.n_rejected > {{ source.max_rejected_share }} * counts.n_records
                then {{ raised(sentence) }} is not null
            else true
        end
)
{%- endmacro %}


{#- Says on the console how many rows were refused, and where they are to be seen; `n_accepted` is a query. -#}
{% macro warn_of_rejected_rows(rejected, n_accepted, source, condition='true') %}
    {% if execute %}
        {% set query %}
            select
                count(*) as n_rejected,
                count(*) + ({{ n_accepted }}) as n_records
            from {{ rejected }}
            where {{ condition }}
            having count(*) > 0
        {% endset %}
        {% for row in run_query(query) %}
            {% do exceptions.warn(
                row['n_rejected'] ~ ' of ' ~ row['n_records'] ~ ' rows of ' ~ source.name
                ~ ' are refused; the table ' ~ rejected.identifier ~ ' in ' ~ place_of_tables() ~ ' holds each with its reasons.'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
