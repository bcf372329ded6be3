{{ config(enabled=has_customers(), post_hook="{{ require_usable_lines(this, segmentation()) }}") }}
with

{{ checked_lines(segmentation()) }}

select * from final
