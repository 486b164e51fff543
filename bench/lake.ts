/**
 * A day's export to the lake, in a folder: rows a second, CPU time and memory.
 * npm run bench:lake -- [rows, 300000]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directoryLake, exportLake } from "etl-lib";
import { newPostgres } from "../testing/postgres.js";

const rows = Number(process.argv[2] ?? 300_000);
const DAY = "2025-12-06T00:00:00Z";
const MIB = 1024 * 1024;

const server = await newPostgres({ settings: { shared_buffers: "512MB" } });
const { pool, drop } = await server.createWarehouse();
const folder = mkdtempSync(join(tmpdir(), "bench-lake-"));

/** Of a shop with 500 products; a third of the events come from campaigns, each has some extras. */
async function fill(): Promise<void> {
  await pool.query(
    `INSERT INTO public.clickstream_events
     SELECT gen_random_uuid(), $1::timestamptz + i * interval '24 hours' / $2, (ARRAY['page_view', 'product_view', 'click'])[i % 3 + 1],
       CASE WHEN i % 4 = 0 THEN 'user-' || i % 20000 END, CASE WHEN i % 4 = 0 THEN 'logged_in' ELSE 'anonymous' END, 'cookie',
       md5((i % 50000)::text), md5((i % 90000)::text), i % 7 = 0, 'sku-' || i % 500, 'Laptop Acer Nitro V ' || i % 500, 'Laptop', 'Acer',
       18990000 + i % 500, CASE WHEN i % 2 = 0 THEN 17990000 + i % 500 END, '/laptop/acer-nitro-v-' || i % 500
     FROM generate_series(0, $2::int - 1) AS i`,
    [DAY, rows],
  );
  await pool.query(
    `INSERT INTO public.clickstream_event_details
     SELECT event_id, event_timestamp, 'https://shop.example' || context_product_url_path || '?utm_source=zalo&click=' || event_id,
       'https://www.google.com/', 'google.com', 'zalo', 'chat', 'tet', 'mobile', 'Chrome', 'Android', false,
       jsonb_build_object('element', jsonb_build_object('id', 'buy', 'text', 'Mua ngay'), 'request', event_id)
     FROM public.clickstream_events`,
  );
  await pool.query(
    `INSERT INTO etl.loaded_hours (hour, rows, ids, details)
     SELECT date_bin('1 hour', event_timestamp, 'epoch'), count(*), sum(uuid_hash(event_id)::bigint), count(*)
     FROM public.clickstream_events GROUP BY 1`,
  );
  await pool.query("VACUUM ANALYZE public.clickstream_events, public.clickstream_event_details");
}

try {
  await fill();
  const [before, since, cpu] = [process.memoryUsage().rss, performance.now(), process.cpuUsage()];
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  const done = await exportLake(pool, directoryLake(folder));
  const seconds = (performance.now() - since) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  if (done.rows !== rows) throw new Error(`${done.rows} rows of ${rows} were exported.`);
  const { bytes } = (await pool.query("SELECT sum(bytes)::float8 AS bytes FROM etl.exports")).rows[0];
  console.log(
    `${rows} rows in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds)} rows/s, ${Math.round((rows * 1e6) / (user + system))} a second of CPU; ` +
      `${Math.round(most / MIB)} MiB resident, ${Math.round(before / MIB)} before; ${(bytes / MIB).toFixed(1)} MiB of Parquet`,
  );
} finally {
  rmSync(folder, { recursive: true });
  await drop();
  await server.stop();
}
process.exit();
