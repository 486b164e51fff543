-- Where events differ from the contract, by event, field and kind. $1 days of loads to look back ('' all)
SELECT left(event_name, 100) AS event_name, left(field, 100) AS field, kind, sum(events)::float8 AS events
FROM dw.contract_drift
WHERE $1::text = '' OR started_at >= now() - nullif($1, '')::int * interval '1 day'
GROUP BY 1, 2, 3
ORDER BY events DESC, event_name, field, kind
LIMIT 50
