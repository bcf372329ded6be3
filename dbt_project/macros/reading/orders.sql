{#-
    CTEs that end in `final`: the records of the orders, judged by what a line alone does not tell:

    - What is blank in a line is that of the first line of its order, where the lines of the order follow one another in one file.
    - What a shop does not count is left out as a matter of course, whatever else is wrong with it: another status, another currency, no customer.
    - What is of a whole order, its amount or what was refunded, counts once, however many of its lines have it.

    They hold the columns of `records`; reasons, which are now all of them; is_left_out; and has_amount, whether the amount counts with this line. Lines
    that tell all by themselves, which most are, are not touched.
-#}
{% macro judged_orders(records) %}
{%- set settings = orders() -%}
{%- set key, names = settings.key.name, settings.columns | map(attribute='name') | list -%}
{%- set found = columns_read(settings) | map(attribute='name') | list -%}
{%- set has_refunds = 'refunded_amount' in found -%}
{%- set is_of_order, is_refund_of_order = settings.amount_of == 'order', has_refunds and settings.refunded_of == 'order' -%}
{%- set words = {} -%}
{%- if settings.statuses %}{% do words.update({'order_status': settings.statuses}) %}{% endif -%}
{%- if settings.currency %}{% do words.update({'currency': [settings.currency]}) %}{% endif -%}
{%- set filled = [key, 'ordered_at'] + words.keys() | list -%}
{%- set doubts = ['reasons is not null'] -%}
{%- for column in words %}{% do doubts.append('not coalesce(' ~ is_among(column, words[column]) ~ ', false)') %}{% endfor -%}
{%- if has_refunds %}{% do doubts.append('refunded_amount <> 0') %}{% endif -%}
{%- if is_of_order %}{% do doubts.append('order_id is not null') %}{% endif -%}
{%- set is_in_doubt = 'coalesce(' ~ doubts | join(' or ') ~ ', false)' if doubts[1:] else doubts[0] -%}
in_doubt as (
    select *
    from {{ records }}
    where {{ is_in_doubt }}
),

incomplete as (
    select
        row_id,
        source_file
    from in_doubt
    where
        -- The rows of a table are in no order.
        {{ 'order_id is not null' if 'order_id' in found and not settings.source.relation else 'false' }}
        and not {{ _is_laid_out_wrongly('reasons') }}
        and ({{ filled | join(' is null or ') }} is null)
),

neighbours as (
    select
        row_id,
        source_file,
        coalesce(order_id <> lag(order_id) over (
            partition by source_file
            order by row_id
        ), true) as is_first
    from {{ records }}
    where source_file in (select incomplete.source_file from incomplete)
),

first_lines as (
    select
        row_id,
        max(case when is_first then row_id end) over (
            partition by source_file
            order by row_id
        ) as first_row_id
    from neighbours
),

fillings as (
    select
        incomplete.row_id,
        {% for column in filled %}
        case when not {{ _says('first_line.reasons', column ~ ' ') }} then first_line.{{ column }} end as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from incomplete
    inner join first_lines on incomplete.row_id = first_lines.row_id
    inner join {{ records }} as first_line on first_lines.first_row_id = first_line.row_id
    where not {{ _is_laid_out_wrongly('first_line.reasons') }}
),

filled as (
    select
        in_doubt.row_id,
        in_doubt.source_file,
        {% for column in names %}
        {{ 'coalesce(in_doubt.' ~ column ~ ', fillings.' ~ column ~ ') as ' ~ column if column in filled else 'in_doubt.' ~ column }},
        {% endfor %}
        in_doubt.reasons,
        in_doubt.raw_record
    from in_doubt
    left join fillings on in_doubt.row_id = fillings.row_id
),

judged as (
    select
        row_id,
        source_file,
        {{ names | join(',\n        ') }},
        nullif(concat_ws(
            '; ',
            {% for column in words %}
            case when {{ column }} is null and not {{ _is_laid_out_wrongly('reasons') }} then '{{ column }} is missing' end,
            {% endfor %}
            {{ _without_reasons('reasons', [
                "case when " ~ key ~ " is not null then '" ~ key ~ " is missing' end", "case when ordered_at is not null then 'ordered_at is missing' end"
            ]) }}
        ), '') as reasons,
        raw_record,
        case
            when {{ _is_laid_out_wrongly('reasons') }} then null
            {% for column, accepted in words.items() %}
            when not {{ is_among(column, accepted) }} then '{{ column.removeprefix('order_') }} ' || {{ column }} || ' does not count'
            {% endfor %}
            {% if settings.anonymous_share %}
            when {{ key }} is null and {{ _says('reasons', key ~ ' is missing;') }} then 'no customer'
            {% endif %}
        end as why_left_out
    from filled
),

-- What is of a whole order stands in one of its lines at least, and is the same wherever it stands.
of_orders as (
    select
        source_file,
        {{ key }},
        order_id,
        {% if is_of_order %}
        min(row_id) filter (where amount is not null) as amount_row_id,
        min_by(cancelled, row_id) filter (where amount is not null) as cancelled,
        min(amount) as amount,
        max(amount) as highest_amount,
        {% endif %}
        {% if is_refund_of_order %}
        min(row_id) filter (where refunded_amount <> 0) as refund_row_id,
        min(abs(refunded_amount)) filter (where refunded_amount <> 0) as refunded_amount,
        max(abs(refunded_amount)) as highest_refunded_amount
        {% else %}
        count(*) as n_lines
        {% endif %}
    from judged
    where
        order_id is not null
        and {{ _without_reasons('reasons', ["'amount is missing'"]) if is_of_order else 'reasons' }} is null
        and why_left_out is null
    group by source_file, {{ key }}, order_id
),

final as (
    select
        row_id,
        source_file,
        {{ names | join(',\n        ') }},
        true as has_amount,
        false as is_left_out,
        reasons,
        raw_record
    from {{ records }}
    where not {{ is_in_doubt }}
    union all
    select
        judged.row_id,
        judged.source_file,
        {% for column in names %}
        {% if column == 'amount' and is_of_order %}
        coalesce(of_orders.amount, judged.amount) as amount,
        {% elif column == 'cancelled' and is_of_order %}
        case when of_orders.amount is null then judged.cancelled else of_orders.cancelled end as cancelled,
        {% elif column == 'refunded_amount' and is_refund_of_order %}
        case
            when judged.order_id is null then abs(judged.refunded_amount)
            when judged.row_id = of_orders.refund_row_id then of_orders.refunded_amount
        end as refunded_amount,
        {% elif column == 'refunded_amount' %}
        abs(judged.refunded_amount) as refunded_amount,
        {% else %}
        judged.{{ column }},
        {% endif %}
        {% endfor %}
        {{ 'coalesce(judged.row_id = of_orders.amount_row_id, true)' if is_of_order else 'true' }} as has_amount,
        judged.why_left_out is not null as is_left_out,
        coalesce(
            judged.why_left_out,
            nullif(concat_ws(
                '; ',
                {% if is_of_order %}
                case when of_orders.amount < of_orders.highest_amount then 'amount differs within the order' end,
                {% endif %}
                {% if is_refund_of_order %}
                case when of_orders.refunded_amount < of_orders.highest_refunded_amount then 'refunded_amount differs within the order' end,
                {% endif %}
                {{ _without_reasons('judged.reasons', ["case when of_orders.amount is not null then 'amount is missing' end"]) if is_of_order else 'judged.reasons' }}
            ), '')
        ) as reasons,
        judged.raw_record
    from judged
    left join of_orders
        on
            judged.source_file = of_orders.source_file
            and judged.{{ key }} = of_orders.{{ key }}
            and judged.order_id = of_orders.order_id
)
{%- endmacro %}


{#- Whether the configuration has the orders judged, which takes time, so that they are a table and not a view. -#}
{% macro orders_are_judged() %}
    {% set settings = orders() %}
    {% do return(settings.statuses or settings.currency or settings.anonymous_share or settings.amount_of == 'order') %}
{% endmacro %}


{#- Whether the fields of a record cannot be told apart, by its reasons in checked_records: then its values are none. -#}
{% macro _is_laid_out_wrongly(reasons) -%}
    coalesce({{ is_one_of(reasons, layout_reasons().values()) }}, false)
{%- endmacro %}


{#- Whether one of the reasons begins with a text, such as the name of a column and a space; it is the whole reason with a semicolon behind it. -#}
{% macro _says(reasons, text) -%}
    contains('; ' || coalesce({{ reasons }}, '') || ';', '; {{ text }}')
{%- endmacro %}


{#- Reasons without those that have gone; NULL where none is left. `gone` are SQL expressions of texts. -#}
{% macro _without_reasons(reasons, gone) -%}
    case
        when {{ reasons }} is not null
            then nullif({{ joined_list(items_that(parts_of_text(reasons, '; '), 'reason', 'not coalesce(reason in (' ~ gone | join(', ') ~ '), false)'), '; ') }}, '')
    end
{%- endmacro %}


{#- Whether a value is one of some words; case does not matter, nor do spaces around it. NULL where there is no value. -#}
{% macro is_among(value, words) -%}
    {{ is_one_of('lower(' ~ value ~ ')', words | map('string') | map('trim') | map('lower') | list) }}
{%- endmacro %}


{#-
    Says on the console how many lines of the orders do not count, and why; a table that holds them with is_left_out is `rejected`, and `n_accepted` is a
    query. Stops dbt where more lines have no customer than the configuration allows.
-#}
{% macro report_lines_left_out(rejected, n_accepted) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set source, allowed = orders().source, orders().anonymous_share %}
    {% set query %}
        select
            reasons,
            count(*) as n_lines,
            sum(count(*)) over () as n_left_out,
            (select count(*) from {{ rejected }} where not is_left_out) + ({{ n_accepted }}) as n_others
        from {{ rejected }}
        where is_left_out
        group by reasons
        order by n_lines desc, reasons
    {% endset %}
    {% set found = run_query(query).rows %}
    {% for row in found if row['reasons'] == 'no customer' and row['n_lines'] > allowed * (row['n_lines'] + row['n_others']) %}
        {% do configuration_error(
            row['n_lines'] ~ ' of ' ~ (row['n_lines'] + row['n_others']) ~ ' lines of ' ~ source.name ~ ' have no customer, more than the share of ' ~ allowed
            ~ ' that is allowed; check the header of the customer, or raise customer: anonymous_share', 'orders'
        ) %}
    {% endfor %}
    {% for row in found[:1] %}
        {% set words = [] %}
        {% for row in found %}{% do words.append([row['reasons'], row['n_lines'] | int]) %}{% endfor %}
        {% do log(
            '{:,} of {:,} lines of '.format(row['n_left_out'] | int, (row['n_left_out'] + row['n_others']) | int) ~ source.name ~ ' are left out: ' ~ _counted_words(words)
            ~ '; the table ' ~ rejected.identifier ~ ' in ' ~ place_of_tables() ~ ' holds each.', info=true
        ) %}
    {% endfor %}
{% endmacro %}


{#-
    Runs behind the records of the orders, and asks them and their lines. Stops dbt where they have something to be counted by of which the configuration
    says nothing: a status, several currencies, amounts that may be those of whole orders.
-#}
{% macro require_clear_orders(records, lines) %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set settings, found = orders(), columns_read(orders()) | map(attribute='name') | list %}
    {% if 'order_status' in found and not settings.statuses %}
        {% set words = _words_of_orders(records, 'order_status') %}
        {% if words | map('first') | select | list %}
            {% do configuration_error(
                settings.source.name ~ ' says what became of the orders: ' ~ _counted_words(words) ~ '. List the words of those that count, as in status: '
                ~ '{counts: [paid, completed]}, or write status: {counts: all} where every order does', 'orders'
            ) %}
        {% endif %}
    {% endif %}
    {% if 'currency' in found and settings.has_amounts and not settings.currency %}
        {% set words = _words_of_orders(records, 'currency') %}
        {% if words | length > 1 %}
            {% do configuration_error(
                settings.source.name ~ ' has orders in several currencies: ' ~ _counted_words(words) ~ '. Their amounts cannot be added up; give the currency that counts, such as '
                ~ 'currency: {keep: ' ~ words | map('first') | select | first ~ '}', 'orders'
            ) %}
        {% endif %}
    {% endif %}
    {% if 'amount' in found and 'order_id' in found and not settings.amount_of %}
        {#- Ten orders are no chance; the first lines are enough to see it. -#}
        {% set query %}
            with

            orders as (
                select max(amount) = min(amount) as has_one_amount
                from {{ lines }}
                where rowid < 100000 and order_id is not null and not {{ _is_laid_out_wrongly('reasons') }}
                group by source_file, order_id
                having count(*) > 1 and count(amount) > 0
            )

            select
                count(*) as n_orders,
                count(*) filter (where has_one_amount) as n_repeated
            from orders
            having count(*) >= 10 and count(*) filter (where has_one_amount) >= 0.95 * count(*)
        {% endset %}
        {% for row in run_query(query) %}
            {% do configuration_error(
                settings.source.name ~ ' has several lines for an order, but one amount: so it is in ' ~ row['n_repeated'] ~ ' of the first ' ~ row['n_orders']
                ~ ' such orders. If it is that of the whole order, set amount: {of: order}; if it is that of each line, amount: {of: line}', 'orders'
            ) %}
        {% endfor %}
    {% endif %}
    {% do return('') %}
{% endmacro %}


{#-
    The words in a column, and how many orders have each, the commonest first. The first line of an order that has one says it for the others; where no line
    of an order has one, the word is none.
-#}
{% macro _words_of_orders(records, column) %}
    {% set query %}
        with

        orders as (
            select min_by({{ column }}, row_id) as word
            from {{ records }}
            where not {{ _is_laid_out_wrongly('reasons') }}
            group by source_file, order_id, case when order_id is null then row_id end
        )

        select
            word,
            count(*) as n_orders
        from orders
        group by word
        order by n_orders desc, word
    {% endset %}
    {% do return(run_query(query).rows | map('list') | list) %}
{% endmacro %}


{#- The words of orders and their numbers, in a text. -#}
{% macro _counted_words(words) %}
    {% set texts = [] %}
    {% for word, n_orders in words[:10] %}{% do texts.append((word or 'none given') ~ ' (' ~ '{:,}'.format(n_orders) ~ ')') %}{% endfor %}
    {% do return(texts | join(', ') ~ (' and ' ~ (words | length - 10) ~ ' more' if words | length > 10 else '')) %}
{% endmacro %}
