{{ config(severity='warn' if segmentation().is_dispensable else 'error') }}
{%- set problem = clustering_problem(ref('int_training_rows'), ref('int_feature_medians'), ref('int_customer_features')) -%}
-- Asserts: every feature is a number to compute with for every customer, or can be filled in, and is not the same for all; and there are enough customers
-- and enough distinct ones.
-- K-means relies on it; without this test it would stop with a traceback instead of a sentence. Where the orders have too little to tell customers apart,
-- the build goes on without segments from them, and says so.
{% set mistake %}select sentence from {{ problem }} as problem{{ ' where is_mistake' if segmentation().is_dispensable }}{% endset %}
{{ sentences_reported(mistake, 'error') }}
{% if segmentation().is_dispensable %}
{% set shortage %}
    select 'There are no segments from the orders in this build: ' || sentence || ' All else is published.' as sentence
    from {{ problem }} as problem
    where not is_mistake
{% endset %}
union all
{{ sentences_reported(shortage, 'warn') }}
{% endif %}
