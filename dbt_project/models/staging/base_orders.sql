{{ config(enabled=has_orders(), post_hook="{{ require_usable_source(this, orders().source) }}") }}
with

{{ checked_lines(orders()) }}

select * from final
