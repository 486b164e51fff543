-- The condition stands on both sides: through the join alone it would not reach the details.
with events as (
    select event_id, event_timestamp, event_name, session_id
    from {{ source('analytics', 'events') }}
    where event_timestamp >= now() - interval '{{ var("traffic_days") }} days'
),

details as (
    select event_id, event_timestamp, utm_source, utm_medium, referrer_host, device, is_bot
    from {{ source('analytics', 'event_details') }}
    where event_timestamp >= now() - interval '{{ var("traffic_days") }} days'
),

zone as (
    select zone from {{ source('dw', 'zones') }} where is_default
)

select
    (events.event_timestamp at time zone zone.zone)::date as day,
    coalesce(details.utm_source, details.referrer_host, 'direct') as source,
    coalesce(details.utm_medium, 'none') as medium,
    coalesce(details.device, 'unknown') as device,
    coalesce(details.is_bot, false) as is_bot,
    count(*) as events,
    count(distinct events.session_id) as sessions,
    count(*) filter (where events.event_name = 'checkout_complete') as orders
from events
inner join details
    on details.event_id = events.event_id and details.event_timestamp = events.event_timestamp
cross join zone
group by 1, 2, 3, 4, 5
