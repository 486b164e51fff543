import type { Queryable } from "etl-lib";
import { count, paint } from "../shared/format.js";
import { IS_CHECKOUT } from "../shared/project.js";

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

/** What a newcomer may want to do now, as it is called where the command came from. */
export const NEXT_STEPS = nextSteps(
  IS_CHECKOUT
    ? ["npm run dashboard", "npm run db:psql", "npm run etl:local -- verify"]
    : ["clickstream dashboard", "clickstream psql", "clickstream verify"],
);

function nextSteps([dashboard = "", psql = "", verify = ""]: readonly string[]): string {
  const line = (command: string, does: string) => `${command.padEnd(verify.length + 4)}${does}`;
  return `
Next: ${line(dashboard, "shows it as a picture (needs R)")}
      ${line(psql, "opens a shell on it")}
      ${line(verify, "compares source, ledger, table and rollups")}`;
}
