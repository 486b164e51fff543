select
    day,
    sum(sessions) as sessions,
    sum(views) as views,
    sum(product_views) as product_views,
    sum(carts) as carts,
    sum(checkout_starts) as checkout_starts,
    sum(checkouts) as checkouts
from {{ source('analytics', 'funnel_days') }}
where dimension = 'all'
group by day
