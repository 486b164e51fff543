with zone as (
    select zone from {{ source('dw', 'zones') }} where is_default
),

orders as (
    select
        (hourly_events.hour at time zone zone.zone)::date as day,
        sum(hourly_events.events) as orders,
        sum(hourly_events.order_value) as order_value
    from {{ source('analytics', 'hourly_events') }} as hourly_events
    cross join zone
    where hourly_events.event_name = 'checkout_complete'
    group by 1
),

funnel as (
    select day, sum(sessions) as begun_sessions, sum(checkouts) as converted_sessions
    from {{ source('analytics', 'funnel_days') }}
    where dimension = 'all'
    group by day
)

select
    days.day,
    days.events,
    days.clients,
    days.users,
    days.sessions,
    coalesce(funnel.begun_sessions, 0) as begun_sessions,
    coalesce(funnel.converted_sessions, 0) as converted_sessions,
    round(100.0 * funnel.converted_sessions / nullif(funnel.begun_sessions, 0), 2) as conversion_percent,
    coalesce(orders.orders, 0) as orders,
    coalesce(orders.order_value, 0) as order_value
from {{ source('analytics', 'days') }} as days
left join funnel on funnel.day = days.day
left join orders on orders.day = days.day
