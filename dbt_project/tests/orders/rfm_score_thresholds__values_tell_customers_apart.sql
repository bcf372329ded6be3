{{ config(enabled=has_orders(), severity='warn') }}
-- Asserts: no value is shared by two fifths of the customers or more, which warns. Scores by fifths rely on it: equal customers score the same, so that
-- one score takes the place of several.
{% set query %}
    with

    measures as (
        select
            measure,
            score,
            largest_tie,
            {{ plain_number('lowest_value') }} as lowest,
            {{ plain_number('highest_value') }} as highest,
            max(largest_tie) over (partition by measure) as largest_tie_of_all,
            sum(n_customers) over (partition by measure) as n_customers_of_all
        from {{ ref('rfm_score_thresholds') }}
    )

    select
        measure || ' is ' || case when lowest = highest then lowest else 'one value from ' || lowest || ' to ' || highest end || ' for '
        || {{ in_percent('largest_tie / n_customers_of_all') }} || ' of the customers, who therefore all score ' || score
        || ': that score tells few customers apart. If it should not depend on how many share a value, give fixed bounds under rfm_scores: ' || measure
        || ': in dbt_project.yml.' as sentence
    from measures
    where
        largest_tie = largest_tie_of_all
        and largest_tie > 1
        and largest_tie >= 0.4 * n_customers_of_all
        {% for measure, bounds in rfm_score_bounds().items() if bounds %}
        and measure <> '{{ measure }}'
        {% endfor %}
{% endset %}
{{ sentences_reported(query, 'warn') }}
