{{ config(post_hook="{{ require_usable_source(this, segmentation().source) }}") }}
with

{{ checked_lines(segmentation()) }}

select * from final
