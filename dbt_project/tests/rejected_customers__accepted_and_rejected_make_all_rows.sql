-- Asserts: records below the headers = accepted + rejected. Whoever reports on customers relies on it; a join or filter in
-- staging that lost a row would otherwise go unseen.
{{ records_unaccounted_for(
    ref('base_customers'), ref('base_customer_files'), ref('base_customers_multiline'), ref('stg_customers'), ref('rejected_customers')
) }}

select * from final
