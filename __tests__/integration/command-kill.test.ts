import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { labEnvironment, runCommand, startCommand } from "../../testing/lab/command.js";
import { event, events, hourKey, json, ndjson } from "../../testing/lab/events.js";
import { expectIdentity, ledgerOf } from "../../testing/lab/identity.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";
import { before as beforeAnswer } from "../../testing/s3/s3.js";

const KILLS = 25;
const OBJECTS = 120;
const FILES = 8;
const LINES = 150;
/** Some twenty transactions, the last ones of many chunks. */
const ARGS = ["run", "--json", "--batch-rows", "8", "--from", "2025-12-06", "--to", "2025-12-07"];
/** 120 objects of two events, each sharing one with its neighbour, and files of 150 events and a line that is none. */
const WHOLE = counts(OBJECTS * 2 + FILES * (LINES + 1), OBJECTS + 1 + FILES * LINES, OBJECTS - 1, FILES);

describe("integration: kill -9 of the command", function () {
  this.timeout(600_000).slow(120_000);
  let lab: Lab;
  before(async () => {
    lab = await openLab();
    for (let n = 0; n < OBJECTS; n++) lab.s3.put(hourKey(`${n}.json`), json([event(n), event(n + 1)]));
    for (let n = 1; n <= FILES; n++)
      lab.s3.put(hourKey(`${n}.ndjson`, "09"), `${ndjson(events(n * 1000, n * 1000 + LINES))}{bad\n`);
  });
  after(() => lab.close());

  it(`at ${KILLS} random moments, each followed by a re-run: never a lost or doubled row`, async () => {
    const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
    console.log(`      KILL_SEED=${seed}`);
    const random = randomFrom(seed);
    const env = labEnvironment(lab);
    const killed: number[] = [];
    let span = 500;
    // One that ended before its kill does not count, and is followed by a re-run all the same.
    for (let tries = 0; killed.length < KILLS && tries < 2 * KILLS; tries++) {
      const { child, outcome } = startCommand(ARGS, env);
      const delay = random() * span;
      lab.s3.fault(
        beforeAnswer(() => void sleep(delay).then(() => child.kill("SIGKILL"))),
        { times: 1 },
      );
      const { signal } = await outcome;
      await lab.lastBackendGone("etl:local");
      await expectIdentity(lab.db.pool);
      const { inserted } = await ledgerOf(lab.db.pool);
      if (signal) killed.push(inserted);

      let startedAt = 0;
      lab.s3.fault(
        beforeAnswer(() => {
          startedAt = performance.now();
        }),
        { times: 1 },
      );
      const { code, stdout } = await runCommand(ARGS, env);
      expect(code, "exit code of the re-run").to.equal(0);
      await expectIdentity(lab.db.pool, JSON.parse(stdout));
      expect(await ledgerOf(lab.db.pool), `re-run after a kill at ${inserted} rows`).to.deep.equal(WHOLE);
      // From its first request to its end: so much of the next run is there to be killed in, also on a busy machine.
      span = performance.now() - startedAt;
      await forget();
    }
    console.log(`      rows there when killed: ${killed.join(" ")}`);
    expect(killed, "kills that met a run").to.have.length(KILLS);
    expect(new Set(killed).size, "different moments").to.be.above(5);
  });

  const forget = () =>
    lab.db.pool.query(
      "TRUNCATE public.clickstream_events, public.clickstream_event_details, etl.loaded_hours, etl.objects, etl.rejects, etl.runs, dw.stale_hours",
    );
});

/** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
