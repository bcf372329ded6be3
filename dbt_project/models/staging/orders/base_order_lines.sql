{{ config(enabled=has_orders(), post_hook="{{ require_usable_lines(this, orders()) }}") }}
with

{{ checked_lines(orders()) }}

select * from final
