import type { Queryable } from "etl-lib";
import { count, paint } from "../shared/format.js";

const DAYS = 14;
const WIDTH = 40;

/** The last days that have events, one bar each, from the rollups: it costs the same for any number of rows. */
export async function daysPlot(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ day: string; events: number }>(
    `SELECT to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, sum(events)::float8 AS events
     FROM dw.hourly_events GROUP BY 1 ORDER BY 1 DESC LIMIT $1`,
    [DAYS],
  );
  const most = Math.max(1, ...rows.map(({ events }) => events));
  const bars = rows.reverse().map(({ day, events }) => {
    const length = Math.max(1, Math.round((events / most) * WIDTH));
    return `${day} ${paint("cyan", "█".repeat(length))} ${count(events)}`;
  });
  return ["\n\nevents a day", ...bars].join("\n");
}

export const NEXT_STEPS = `
Next: npm run dashboard              shows it as a picture (needs R)
      npm run db:psql                opens a shell on it
      npm run etl:local -- verify    compares source, ledger, table and rollups`;
