select
    day,
    coalesce(value, 'none') as category,
    sum(sessions) as sessions,
    sum(product_views) as product_views,
    sum(carts) as carts,
    sum(checkout_starts) as checkout_starts,
    sum(checkouts) as checkouts
from {{ source('analytics', 'funnel_days') }}
where dimension = 'category'
group by day, coalesce(value, 'none')
