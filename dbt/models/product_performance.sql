select
    product_days.day,
    product_days.product_id,
    products.name,
    products.category,
    products.brand,
    product_days.views,
    product_days.carts,
    product_days.checkout_starts,
    product_days.checkouts,
    round(100.0 * product_days.carts / nullif(product_days.views, 0), 2) as cart_percent
from {{ source('analytics', 'product_days') }} as product_days
left join {{ source('analytics', 'products') }} as products
    on products.product_id = product_days.product_id
