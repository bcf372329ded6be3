{#-
    The share of the customers that k is chosen on: all of them, where they are few or where equal ones merge into rows that k-means handles in seconds; of
    nearly distinct ones a hundred thousand, whose mean squared distances differ from those of all by some thousandths.
-#}
{% macro training_share(customers, features, counts) %}
    {% if not execute %}{% do return(1) %}{% endif %}
    {% set most_rows, sample_rows = 1000000, customers_of_sample() %}
    {% set n_customers = run_query('select n_customers from ' ~ counts).columns[0].values()[0] | int %}
    {% if n_customers <= 2 * sample_rows %}{% do return(1) %}{% endif %}
    {% set n_distinct = run_query('select ' ~ approximate_distinct(features) ~ ' from ' ~ customers).columns[0].values()[0] | int %}
    {% do return(1 if n_distinct <= [most_rows, n_customers / 2] | min else sample_rows / n_customers) %}
{% endmacro %}


{#-
    A query: why k-means cannot be done on today's customers, as a sentence, or no row where it can. Where is_mistake, the configuration or a model has to be
    mended; otherwise the customers are too few or too much alike. Without the table of the `customers`, values that are no numbers are not looked for.
-#}
{% macro clustering_problem(training_rows, medians, customers=none) -%}
    {%- set settings = segmentation() %}
    {%- set is_usable = [] -%}
    {%- set columns = [] -%}
    {%- for feature in settings.categories -%}
    {%- if feature.missing == 'reject' -%}{%- do is_usable.append(feature.name ~ ' is not null') -%}{%- endif -%}
    {%- do columns.append('training_rows.' ~ feature.name) -%}
    {%- endfor -%}
    {%- for feature in settings.numbers -%}
    {%- set column, is_filled_in = 'training_rows.' ~ feature.name, feature.missing == 'median' -%}
    {%- do is_usable.append('coalesce(abs(' ~ feature.name ~ ') < ' ~ too_large() ~ ', ' ~ is_filled_in | lower ~ ')') -%}
    {%- do columns.append('coalesce(' ~ column ~ ', medians.' ~ feature.name ~ ')' if is_filled_in else column) -%}
    {%- endfor -%}
    {%- set n_needed = settings.n_clusters if settings.n_clusters is integer else settings.k_range | first -%}
(
    with

    empty_features as (
        {%- for feature in settings.features | selectattr('missing', 'equalto', 'median') %}
        select '{{ feature.name }}' as feature
        from {{ medians }}
        where n_customers > 0 and {{ feature.name }} is null
        union all
        {%- endfor %}
        select cast(null as string) as feature
        where false
    ),

    constant_features as (
        {%- for feature in settings.features %}
        select '{{ feature.name }}' as feature
        from {{ training_rows }}
        having min({{ feature.name }}) = max({{ feature.name }})
        {%- if feature.missing == 'level' %} and count(*) = count({{ feature.name }}){% endif %}
        {{- " union all" if not loop.last }}
        {%- endfor %}
    ),

    distinct_rows as (
        select distinct
            {{ columns | join(',\n            ') }}
        from {{ training_rows }} as training_rows
        cross join {{ medians }} as medians
    ),

    counts as (
        select
            coalesce(sum(n_customers), 0) as n_customers,
            (select count(*) from distinct_rows) as n_distinct,
            (select {{ joined_texts('feature', ' and ', 'feature') }} from empty_features) as empty_features,
            (select {{ joined_texts('feature', ' and ', 'feature') }} from constant_features) as constant_features,
            {{ '(select count(*) from ' ~ customers ~ ' where not (' ~ is_usable | join(' and ') ~ '))' if customers and is_usable else '0' }} as n_unusable
        from {{ training_rows }}
    ),

    problems as (
        select
            empty_features is not null or n_unusable > 0 as is_mistake,
            case
                when empty_features is not null
                    then ' has no value at all in ' || empty_features || ', so there is no median to fill in; remove it from features'
                when n_unusable > 0
                    then
                        ' has ' || n_unusable || ' customers with a feature that is not a finite number, or one of {{ too_large() }} or more
                        {{- ', or has no level' if settings.categories }}; correct the model '
                        || 'that computes it, or set missing: median {{ 'or missing: level ' if settings.categories }}in features'
                when n_customers < {{ n_needed }}
                    then ' has ' || n_customers || ' usable customers, fewer than the {{ n_needed }} segments asked for; give more rows or lower n_clusters'
                when constant_features is not null
                    then ' has the same value for every customer in ' || constant_features || ', which tells nobody apart; remove it from features'
                when n_distinct < {{ n_needed }}
                    then
                        ' has ' || n_distinct || ' different combinations of features, fewer than the {{ n_needed }} segments asked for; '
                        || 'lower n_clusters or add a feature'
            end as problem
        from counts
    )

    select
        is_mistake,
        {{ sql_texts([settings.source.name]) }} || problem || ' in dbt_project.yml, vars, {{ segmentation_block() }}.' as sentence
    from problems
    where problem is not null
)
{%- endmacro %}


{#- How many customers stand for all of them, where these are more. -#}
{% macro customers_of_sample() %}{% do return(100000) %}{% endmacro %}


{#- Drawn by key and seed: the same customers in every order of the rows, night after night, and on every engine. `share` is an expression. -#}
{% macro is_sampled(key, share) -%}
    ({{ share }} >= 1 or {{ is_drawn(key, share, segmentation().key.data_type, segmentation().seed) }})
{%- endmacro %}


{#-
    Whether a key is among a share below 1 of all, as if drawn by lot, and alike on every engine. A text is known by its MD5, whose first twelve digits,
    of 48 bits, are compared with those of the share as a text: to make a number of them would take as long as the MD5.
-#}
{% macro is_drawn(key, share, data_type, seed) -%}
    {%- if data_type == 'bigint' -%}
        {{ drawn_number(key, seed) }} < {{ share }}
    {%- else -%}
        md5('{{ seed }}|' || {{ key }}) < lpad(lower(hex(cast(ceil(({{ share }}) * 281474976710656) as bigint))), 12, '0')
    {%- endif -%}
{%- endmacro %}


{#-
    A number from 0 to below 1 that looks drawn by lot, and that a whole number and a seed give alike on every engine: no digits are lost, since no product is
    beyond 2^62. The key is known by its remainders by two primes, each put through a line that the seed gives, and the product of both leaves a remainder by a
    third prime: neighbours, multiples and other seeds come out as if they had nothing to do with each other. These are no primes that numbers of customers
    would be multiples of.
-#}
{% macro drawn_number(key, seed) -%}
    {#- Of 28 bits each; the factors have one more, which makes them large. -#}
    {%- set digits, lines = local_md5(seed | string), [] -%}
    {%- for prime in [2123456771, 1987654313] -%}
        {%- set factor, summand = 268435456 + digits[14 * loop.index0:][:7] | int(0, 16), digits[14 * loop.index0 + 7:][:7] | int(0, 16) -%}
        {%- do lines.append('(((cast(' ~ key ~ ' as bigint) % ' ~ prime ~ ' + ' ~ prime ~ ') * ' ~ factor ~ ' + ' ~ summand ~ ') % ' ~ prime ~ ')') -%}
    {%- endfor -%}
    cast({{ lines | join(' * ') }} % 4123456787 as double) / 4123456787
{%- endmacro %}
