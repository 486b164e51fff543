/**
 * A table that gains a day and loses one, again and again: how long a day takes to go, and whether autovacuum keeps up.
 * npm run bench:prune -- [rows a day, 1000000] [days kept, 3] [days, 5]
 */
import { prune, refreshRollups } from "etl-lib";
import type pg from "pg";
import { newPostgres } from "../testing/postgres.js";

const [perDay = 1_000_000, kept = 3, cycles = 5] = process.argv.slice(2).map(Number);
const DAY = 86_400_000;
const FIRST = Date.UTC(2025, 0, 1);

const server = await newPostgres({
  durable: true,
  settings: { shared_buffers: "512MB", autovacuum_naptime: "5s" },
});
const { pool, drop } = await server.createWarehouse();

async function addDay(n: number): Promise<void> {
  await pool.query(
    `INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name, client_id, session_id, context_product_id,
       context_product_name, context_product_price)
     SELECT gen_random_uuid(), $1::timestamptz + i * interval '24 hours' / $2, 'product_view', md5((i % 50000)::text),
       md5((i % 90000)::text), 'sku-' || i % 500, 'Laptop Acer Nitro V', 18990000
     FROM generate_series(0, $2::int - 1) AS i`,
    [new Date(FIRST + n * DAY).toISOString(), perDay],
  );
  await pool.query(
    `INSERT INTO etl.loaded_hours (hour, rows, ids)
     SELECT date_bin('1 hour', event_timestamp, 'epoch'), count(*), sum(uuid_hash(event_id)::bigint)
     FROM public.clickstream_events WHERE event_timestamp >= $1 AND event_timestamp < $1::timestamptz + interval '1 day' GROUP BY 1`,
    [new Date(FIRST + n * DAY).toISOString()],
  );
}

/** Whatever is dead waits for autovacuum, not for us. */
async function vacuumed(db: pg.Pool): Promise<void> {
  const dead = `SELECT n_dead_tup::float8 AS dead FROM pg_stat_user_tables WHERE relname = 'clickstream_events'`;
  for (;;) {
    const { rows } = await db.query<{ dead: number }>(dead);
    if ((rows[0]?.dead ?? 0) < 0.02 * perDay * kept + 50) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

try {
  console.log("| day | rows | pruned in | WAL | table | key |\n|--:|--:|--:|--:|--:|--:|");
  await refreshRollups(pool); // the zones of a new warehouse are made; these rows mark no hour
  for (let n = 0; n < kept; n++) await addDay(n);
  for (let n = kept; n < kept + cycles; n++) {
    await addDay(n);
    const from = (await pool.query("SELECT pg_current_wal_lsn() AS lsn")).rows[0].lsn;
    const since = performance.now();
    const { rows, waits } = await prune(pool, {
      before: new Date(FIRST + (n - kept + 1) * DAY),
      lake: false,
    });
    if (waits) throw new Error(`${waits.day} waits for its ${waits.for}`);
    const seconds = (performance.now() - since) / 1000;
    const wal = (await pool.query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::float8 AS n", [from]))
      .rows[0].n;
    await vacuumed(pool);
    const { rows: sizes } = await pool.query(
      `SELECT pg_relation_size('public.clickstream_events')::float8 AS heap, pg_relation_size('public.clickstream_events_pkey')::float8 AS key`,
    );
    const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
    console.log(
      `| ${n - kept + 1} | ${rows} | ${seconds.toFixed(1)} s | ${mib(wal)} | ${mib(sizes[0].heap)} | ${mib(sizes[0].key)} |`,
    );
  }
} finally {
  await drop();
  await server.stop();
}
process.exit();
