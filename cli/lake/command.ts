import { join } from "node:path";
import type { Command } from "commander";
import { exportLake, type LakeExport, type LakeStore, type Queryable } from "etl-lib";
import { UsageError } from "../shared/failure.js";
import { count, table, time } from "../shared/format.js";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { environment, WORK_FOLDER } from "../shared/project.js";
import { withWarehouse } from "../shared/warehouse.js";
import { openStore } from "./store.js";

const LOCAL_LAKE = join(WORK_FOLDER, ".local", "lake");

interface ExportCommandOptions {
  readonly to?: string;
  readonly json?: true;
}

export function define(command: Command): void {
  command
    .command("export")
    .description("Write every closed day whose file is missing or stale, and late events of pruned days.")
    .option("--to <place>", "a folder, or s3://bucket (default: LAKE_BUCKET when set, else .local/lake)")
    .addOption(jsonOption())
    .action(exportDays);
  command
    .command("status")
    .description("The days of the lake: what the table holds, what their files hold, which are stale.")
    .addOption(jsonOption())
    .action(showDays);
}

async function exportDays({ to, json }: ExportCommandOptions): Promise<void> {
  const store = await openStore(placeOf(to));
  const done = await withWarehouse({ quiet: json }, async ({ pool }, signal) => {
    await assertSameLake(pool, store);
    return exportLake(pool, store, {
      isTimeUp: () => signal.aborted,
      onDay: (day, rows) => !json && console.error(`${day}  ${count(rows)} rows`),
    });
  });
  const errors = done.errors.map(({ message }) => message);
  if (json) printJson({ ...done, location: store.location, errors });
  else console.log([exportText(done, store), ...errors].join("\n"));
  if (errors.length > 0) process.exitCode = 1;
}

function placeOf(to: string | undefined): string {
  const bucket = environment(WORK_FOLDER).LAKE_BUCKET;
  return to ?? (bucket ? `s3://${bucket}` : LOCAL_LAKE);
}

/** A warehouse knows of one lake: into another only what is stale would be written. */
async function assertSameLake(db: Queryable, store: LakeStore): Promise<void> {
  const { rows } = await db.query<{ key: string }>(
    "SELECT key FROM etl.exports WHERE verified_at IS NOT NULL ORDER BY exported_at DESC LIMIT 1",
  );
  const key = rows[0]?.key;
  if (key === undefined) return;
  await store.open(key).catch(() => {
    throw new UsageError(
      `${store.location} is not the lake that this warehouse's days were exported to: it lacks ${key}; check --to and LAKE_BUCKET.`,
    );
  });
}

const exportText = ({ days, rows, late, waiting }: LakeExport, { location }: LakeStore): string =>
  [
    `${count(days)} days with ${count(rows)} rows were written to ${location}${late > 0 ? `, and ${count(late)} late events` : ""}.`,
    ...(waiting > 0 ? [`${count(waiting)} days wait.`] : []),
  ].join(" ");

interface DayRow {
  readonly day: string;
  readonly rows: number;
  readonly exported: number | null;
  readonly verifiedAt: Date | null;
  readonly prunedAt: Date | null;
  readonly stale: boolean;
  readonly bytes: number | null;
}

async function showDays({ json }: { json?: true }): Promise<void> {
  const days = await withWarehouse({ quiet: json }, async ({ pool }) => {
    const { rows } = await pool.query<DayRow>(
      `SELECT d.day::text, d.rows::float8, sum(e.rows)::float8 AS exported, d.verified_at AS "verifiedAt",
         d.pruned_at AS "prunedAt", d.stale, sum(e.bytes)::float8 AS bytes
       FROM etl.lake_days d LEFT JOIN etl.exports e USING (day)
       GROUP BY d.day, d.rows, d.verified_at, d.pruned_at, d.stale ORDER BY d.day`,
    );
    return rows;
  });
  if (json) return printJson({ days });
  console.log(days.length > 0 ? daysTable(days) : "There is no day yet.");
}

const daysTable = (days: readonly DayRow[]): string =>
  table(
    ["day", "rows", "in the lake", { name: "bytes", drop: 1 }, { name: "verified", drop: 2 }, "state"],
    days.map(({ day, rows, exported, bytes, verifiedAt, prunedAt, stale }) => [
      day,
      count(rows),
      exported === null ? "–" : count(exported),
      bytes === null ? "–" : count(bytes),
      time(verifiedAt),
      prunedAt ? "pruned" : stale ? "stale" : "exported",
    ]),
  );
