/** Mutated and generated files through the real command into a real database; or the command killed at any moment. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { migrate } from "etl-lib";
import pg from "pg";
import { count } from "../cli/shared/format.js";
import { openEmbedded } from "../postgres/embedded.js";
import { randomOf } from "./generate.js";
import { faultsOf, findFaults, megabytes, runCommand, writeFiles } from "./rounds.js";

const number = (value: string): number => Number(value);
const options = new Command("fuzz")
  .description("files of every shape through etl:local, checked in the database")
  .option("--files <n>", "files in all", number, 100_000)
  .option("--from <n>", "the number of the first one", number, 0)
  .option("--batch <n>", "files of a run", number, 2000)
  .option("--seed <n>", "the same seed makes the same files", number, Date.now() % 1_000_000)
  .option("--kill [n]", "instead: kill the command so many times, and run it again each time")
  .parse()
  .opts<{ files: number; from: number; batch: number; seed: number; kill?: string | true }>();

const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
chmodSync(folder, 0o711); // root's database runs as another user
const source = join(folder, "raw");
const server = await openEmbedded(join(folder, "postgres"), "fuzz");
const { host, port, user, password, database } = server.connection;
const pool = new pg.Pool({ host, port, user, password, database });
const random = randomOf(options.seed);
let faults = 0;

try {
  await migrate(pool);
  console.log(`seed ${options.seed}`);
  if (options.kill === undefined) await fuzz();
  else await kill(options.kill === true ? 1000 : Number(options.kill));
} finally {
  await pool.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults > 0 ? 1 : 0;

async function fuzz(): Promise<void> {
  let [done, bytes, whole, peak] = [0, 0, 0, 0];
  const end = options.from + options.files;
  for (let { from } = options; from < end; from += options.batch) {
    const files = writeFiles(source, options.seed, from, Math.min(from + options.batch, end));
    const outcome = await runCommand(source, server.connection);
    tell(`files ${from} to ${from + files.length - 1}`, [
      ...faultsOf(outcome),
      ...(await findFaults(pool, files)),
    ]);
    done += files.length;
    bytes += files.reduce((sum, { content }) => sum + content.length, 0);
    whole += files.filter(({ ids }) => ids.length > 0).length;
    peak = Math.max(peak, outcome.peakMiB);
    const said = [
      `${count(done)} files`,
      megabytes(bytes),
      `${count(whole)} whole`,
      `peak ${peak.toFixed(0)} MiB`,
    ];
    console.log([...said, `${faults} faults`].join(", "));
  }
}

/** A run is given up to the time that the last whole one took, so that kills meet every moment of it. */
async function kill(kills: number): Promise<void> {
  let [killed, span, from] = [0, 4000, options.from];
  while (killed < kills) {
    const files = writeFiles(source, options.seed, from, from + Math.min(options.batch, 200));
    from += files.length;
    for (let tries = 0; tries < 3 && killed < kills; tries++) {
      const { code } = await runCommand(source, server.connection, 300 + random() * span);
      if (code === null) killed++;
    }
    const startedAt = performance.now();
    const outcome = await runCommand(source, server.connection);
    span = Math.max(500, performance.now() - startedAt);
    tell(`files from ${from - files.length}`, [...faultsOf(outcome), ...(await findFaults(pool, files))]);
    console.log(`${killed} kills, ${faults} faults`);
  }
}

function tell(where: string, found: readonly string[]): void {
  faults += found.length;
  for (const fault of found.slice(0, 20)) console.error(`${where}: ${fault}`);
}
