-- What a product was offered for on a day: the lowest and the highest of its events' discounted prices, or of their prices
-- where there is none. The events of every hour are read again for it, step by step, by the runs that come.
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile
ALTER TABLE dw.product_days ADD COLUMN lowest_price numeric, ADD COLUMN highest_price numeric;
INSERT INTO dw.stale_hours (hour) SELECT DISTINCT hour FROM dw.hourly_events;
