import type { Command } from "commander";
import {
  assertPerson,
  type ErasureReport,
  erasePerson,
  type LakeStore,
  type Person,
  UNHURRIED,
} from "etl-lib";
import { type Copy, copiesLeft, RESTORE_HINT } from "../../connect/copies.js";
import { openStore } from "../lake/store.js";
import { EXIT, UsageError } from "../shared/failure.js";
import { count, table } from "../shared/format.js";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";

interface EraseCommandOptions {
  readonly userId?: string;
  readonly clientId?: string;
  readonly lake?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What is under way when Ctrl-C is pressed ends first. */
const GRACE_MS = 10_000;

export const define = (command: Command): Command =>
  command
    .option("--user-id <id>", "the person's user_id, as the table has it")
    .option("--client-id <id>", "or the client_id of one of their browsers")
    .option("--lake <place>", "the lake: a folder, or s3://bucket (default: LAKE_BUCKET when set)")
    .option("--dry-run", "count what would be erased, and change nothing")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nErases rows, details, what waits for the lake, texts of quarantine, sessions and visits, and remembers a keyed hash, so\nthat no load brings the person back. Says what it cannot reach, when that expires, and what removes it at once.",
    )
    .action(eraseCommand);

async function eraseCommand({ lake, dryRun, json = false, ...ids }: EraseCommandOptions): Promise<void> {
  const person = personOf(ids);
  const store = await lakeOf(lake);
  await withWarehouse({ quiet: json, graceMs: GRACE_MS }, async ({ pool }, signal) => {
    const report = await erasePerson(pool, person, {
      dryRun,
      lake: store,
      isTimeUp: () => signal.aborted,
      refresh: UNHURRIED,
    });
    const notReached = copiesLeft(process.env, report.days);
    if (json) printJson({ ...report, notReached });
    else console.log(reportText(report, notReached));
    if (!report.isComplete) process.exitCode = signal.aborted ? EXIT.interrupted : EXIT.failed;
  });
}

async function lakeOf(place: string | undefined): Promise<LakeStore | null> {
  const bucket = process.env.LAKE_BUCKET;
  if (place === undefined && !bucket) return null;
  return openStore(place ?? `s3://${bucket}`);
}

function personOf({ userId, clientId }: Pick<EraseCommandOptions, "userId" | "clientId">): Person {
  if ((userId === undefined) === (clientId === undefined))
    throw new UsageError("erase needs --user-id or --client-id, one of them: nothing was erased.");
  const person: Person =
    userId !== undefined ? { kind: "user_id", id: userId } : { kind: "client_id", id: clientId as string };
  assertPerson(person);
  return person;
}

function reportText(report: ErasureReport, notReached: readonly Copy[]): string {
  const { dryRun, events, details, lateEvents, rejects, visits, sessions, lake, days, isComplete } = report;
  const rows: [string, number][] = [
    ["events", events],
    ["their details", details],
    ["late events that wait for the lake", lateEvents],
    ["texts in quarantine", rejects],
    ["visits of an hour", visits],
    ["sessions", sessions],
    ...(lake ? ([["events in the lake's files", lake.rows]] as [string, number][]) : []),
  ];
  return [
    dryRun ? "Dry run, nothing was changed. Would be erased:" : "Erased, and remembered by a keyed hash:",
    table(
      ["what", "rows"],
      rows.map(([what, n]) => [what, count(n)]),
    ),
    ...(days.length > 0 ? [`On ${count(days.length)} days, from ${days[0]} to ${days.at(-1)}.`] : []),
    ...(isComplete
      ? []
      : [
          "Not all could be reached: repeat it when nothing else writes the lake, and with --lake if there is one.",
        ]),
    "\nNot reached from here:",
    ...notReached.map(
      ({ what, expires, command }) => `- ${what}: expires ${expires}; at once with\n  ${command}`,
    ),
    RESTORE_HINT,
  ].join("\n");
}
