import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { labEnvironment, type Outcome, runCommand, startCommand } from "../../testing/lab/command.js";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";
import { gets, hang, refuse } from "../../testing/s3/s3.js";
import { until } from "../../testing/until.js";

const DAY = ["--from", "2025-12-06", "--to", "2025-12-07"];

describe("integration: the command's answers and exit codes", () => {
  let lab: Lab;
  let env: Record<string, string>;
  before(async () => {
    lab = await openLab();
    env = labEnvironment(lab);
  });
  after(() => lab.close());
  beforeEach(() => {
    for (let n = 0; n < 5; n++)
      lab.s3.put(hourKey(`${n}.json`), json([event(n), event(0), { eventId: "x" }]));
  });
  afterEach(() =>
    lab.db.pool.query(
      "TRUNCATE public.clickstream_events, public.clickstream_event_details, etl.loaded_hours, etl.objects, etl.rejects, dw.stale_hours",
    ),
  );

  it("prints one JSON object on stdout, and nothing else there", async () => {
    const { code, stdout, stderr } = await runCommand([...DAY, "--json"], env);
    const summary = JSON.parse(stdout);
    expect(code).to.equal(0);
    expect(Object.keys(summary)).to.deep.equal([
      "status",
      "runId",
      "window",
      "dryRun",
      "objects",
      "events",
      "rejects",
      "warnings",
      "contract",
      "sealed",
      "pruned",
      "alerts",
      "durationMs",
      "error",
      "rollupsRefreshed",
      "errors",
    ]);
    expect(summary.status).to.equal("succeeded");
    expect(summary.events).to.deep.equal(counts(15, 5, 5, 5));
    expect(summary.rejects).to.deep.equal({ missing_event_name: 5 });
    expect(summary.window).to.deep.equal({
      from: "2025-12-06T00:00:00.000Z",
      to: "2025-12-07T00:00:00.000Z",
    });
    expect(stderr).to.match(/^Target: database test_\d+ at 127\.0\.0\.1:\d+/m);
    await expectIdentity(lab.db.pool, summary);
  });

  it("prints a table for people, and nothing at all with --quiet", async () => {
    const loud = await runCommand(DAY, env);
    expect([loud.code, loud.stdout]).to.satisfy(
      ([code, text]: [number, string]) => code === 0 && /inserted/.test(text),
    );
    expect(await runCommand([...DAY, "--quiet"], env)).to.include({ code: 0, stdout: "", stderr: "" });
  });

  it("exits with 3 for rejects when --strict, and only then", async () => {
    expect((await runCommand([...DAY, "--dry-run", "--strict"], env)).code).to.equal(3);
    expect(await lab.count()).to.equal(0);
    expect((await runCommand([...DAY, "--strict"], env)).code).to.equal(3);
    expect((await runCommand([...DAY, "--strict"], env)).code, "nothing was new").to.equal(0);
  });

  it("exits with 1 when an object cannot be read", async () => {
    const refused = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(hourKey("3.json")) });
    const { code, stdout } = await runCommand([...DAY, "--json"], env);
    refused.lift();
    expect([code, JSON.parse(stdout).status]).to.deep.equal([1, "partial"]);
  });

  /** One sentence on stderr, apart from the lines that say which target and source were taken; no stack trace. */
  function expectSentence({ code, stdout, stderr }: Outcome, expectedCode: number, says: RegExp): void {
    const lines = stderr.split("\n").filter((line) => line !== "" && !/^(Target|Source): /.test(line));
    expect(lines.join("\n")).to.match(says);
    expect(stdout + stderr, "a stack trace").not.to.match(/\n\s+at .*[:(]/);
    expect([code, stdout]).to.deep.equal([expectedCode, ""]);
  }

  const USAGE: readonly [what: string, args: string[], says: RegExp][] = [
    ["a date that is none", ["--from", "yesterday"], /--from must be an ISO 8601 time in UTC .*"yesterday"/],
    ["31 February", ["--from", "2025-02-31"], /--from must be an ISO 8601 time/],
    [
      "a reversed window",
      ["--from", "2025-12-07", "--to", "2025-12-06"],
      /The window is empty: --from .* --to/,
    ],
    ["an empty window", ["--from", "2025-12-06", "--to", "2025-12-06"], /The window is empty/],
    ["--to without --from", ["--to", "2025-12-06"], /--to needs --from/],
    ["--last with --from", ["--last", "2h", "--from", "2025-12-06"], /--last does not go with --from/],
    ["a time that is none", ["--last", "soon"], /--last .*"soon"/],
    ["a number that is none", ["--concurrency", "many"], /--concurrency .*whole number/],
    ["an unknown option", ["--fast"], /unknown option '--fast'/],
    ["an unknown cause", ["rejects", "list", "--cause", "bad"], /--cause .*bad/],
    [
      "a missing directory",
      ["--source", join(tmpdir(), "no-such-directory")],
      /no file or directory .* check --source/,
    ],
    ["a bucket without a name", ["--source", "s3://"], /--source must be .* s3:\/\/bucket/],
  ];
  for (const [what, args, says] of USAGE)
    it(`exits with 2 for ${what}, in a sentence`, async () => {
      expectSentence(await runCommand(args, env), 2, says);
    });

  const FAILURES: readonly [what: string, args: string[], settings: Record<string, string>, says: RegExp][] =
    [
      [
        "a missing bucket",
        ["--source", "s3://no-such-bucket"],
        {},
        /The bucket no-such-bucket does not exist/,
      ],
      ["a wrong secret key", DAY, { AWS_SECRET_ACCESS_KEY: "wrong" }, /S3 refused to list .*credentials/],
      ["a refused login", DAY, { DWH_PASSWORD: "wrong" }, /refused the login of .*DWH_USER and DWH_PASSWORD/],
      [
        "a database that is not there",
        DAY,
        { DWH_DATABASE: "nowhere" },
        /no database "nowhere".*DWH_DATABASE/,
      ],
      ["a server that is not there", DAY, { DWH_PORT: "1" }, /Nothing answers at .*:1 .*DWH_PORT/],
      [
        "a host that is not known",
        DAY,
        { DWH_HOST: "nowhere.invalid" },
        /"nowhere\.invalid" is not known.*DWH_HOST/,
      ],
      ["a server without TLS", DAY, { DWH_SSL: "require" }, /DWH_SSL/],
      ["a setting that is none", DAY, { DWH_SSL: "maybe" }, /DWH_SSL/],
    ];
  for (const [what, args, settings, says] of FAILURES)
    it(`exits with 1 for ${what}, in a sentence`, async () => {
      const outcome = await runCommand([...args, "--quiet"], { ...env, ...settings });
      expectSentence(outcome, 1, says);
    });

  it("says it in JSON too, for a run that did not come about", async () => {
    const outcome = await runCommand([...DAY, "--json"], { ...env, DWH_PASSWORD: "wrong" });
    expect(outcome.code).to.equal(1);
    const summary = JSON.parse(outcome.stdout);
    expect(summary).to.include({ status: "failed", runId: null });
    expect(summary.error.message).to.match(/DWH_USER and DWH_PASSWORD/);
  });

  it("says any failure in JSON too: one object on stdout, whatever the command", async () => {
    const cases: readonly [args: string[], settings: Record<string, string>, code: number, says: RegExp][] = [
      [["verify", ...DAY], { DWH_PASSWORD: "wrong" }, 1, /DWH_USER and DWH_PASSWORD/],
      [["status", "--from", "yesterday"], {}, 2, /--from must be/],
      [["rejects", "list", "--limit", "0"], {}, 2, /--limit/],
      [["verfy"], {}, 2, /unknown command 'verfy'/],
      [["backfill", ...DAY, "--output", join(tmpdir(), "nowhere", "cdktf.out")], {}, 1, /is not deployed/],
    ];
    for (const [args, settings, code, says] of cases) {
      const outcome = await runCommand([...args, "--json"], { ...env, ...settings });
      const { status, error } = JSON.parse(outcome.stdout);
      expect([outcome.code, status], args.join(" ")).to.deep.equal([code, "failed"]);
      expect(error.message).to.match(says);
    }
  });

  it("names every object that cannot be read", async () => {
    const refused = ["1", "3"].map((n) =>
      lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(hourKey(`${n}.json`)) }),
    );
    const { code, stdout } = await runCommand(DAY, env);
    for (const fault of refused) fault.lift();
    expect(code).to.equal(1);
    expect(stdout).to.include(hourKey("1.json")).and.include(hourKey("3.json"));
    const { errors } = await lab.row("SELECT errors FROM etl.runs ORDER BY started_at DESC LIMIT 1");
    expect(errors).to.have.length(2);
  });

  it("refuses an option that npm took for its own, before anything is done", async () => {
    const script = {
      npm_lifecycle_event: "etl:local",
      npm_lifecycle_script: "node --max-old-space-size=128 bin/clickstream.js",
    };
    const npm = { ...script, npm_config_dry_run: "true" };
    const outcome = await runCommand(["run", ...DAY], { ...env, ...npm });
    expectSentence(outcome, 2, /npm consumed --dry-run .* npm run etl:local -- --dry-run\.$/);
    expect(await lab.count()).to.equal(0);
    expect((await runCommand(["--dry-run", ...DAY], { ...env, ...script })).code).to.equal(0);
  });

  it("says that there is nothing at the source, and exits with 2 unless that is allowed", async () => {
    const empty = ["--source", mkdtempSync(join(tmpdir(), "empty-"))];
    const { code, stderr } = await runCommand(empty, env);
    expect([code, stderr.includes(`There is no object in ${empty[1]}`)]).to.deep.equal([2, true]);
    expect((await runCommand([...empty, "--allow-empty"], env)).code).to.equal(0);
  });

  it("reads stdin as one object, the same bytes once", async () => {
    for (const inserted of [5, 0]) {
      const { child, outcome } = startCommand(["--source", "-", "--json"], env, "pipe");
      child.stdin?.end([1, 2, 3, 4, 5].map((n) => json(event(n))).join("\n"));
      expect(JSON.parse((await outcome).stdout).events.inserted).to.equal(inserted);
    }
  });

  it("lists rejects with what `requeue` takes, shows one whole, and resolves it", async () => {
    await runCommand(DAY, env);
    const listed = await runCommand(["rejects", "list"], env);
    expect(listed.stdout)
      .to.include(`--source s3://${lab.s3.bucket}`)
      .and.include(`${hourKey("3.json")} #2`);
    const id = /^ {2}(\d+) {2}missing_event_name/m.exec(listed.stdout)?.[1] as string;
    expect((await runCommand(["rejects", "show", id], env)).stdout).to.include('{"eventId":"x"}');
    const resolved = await runCommand(["rejects", "resolve", id, "--json"], env);
    expect(JSON.parse(resolved.stdout)).to.deep.equal({ resolved: 1 });
    expect((await runCommand(["rejects", "list"], env)).stdout).not.to.match(new RegExp(`^ +${id} `, "m"));
    const verified = await runCommand(["verify", ...DAY, "--json"], env);
    expect(JSON.parse(verified.stdout).gaps, "the counts stay").to.deep.equal([]);
    await lab.db.pool.query("TRUNCATE etl.rejects");
  });

  it("keeps a log, one JSON object a line, of what was done and of what failed", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "log-")), "run.log");
    await runCommand([...DAY, "--log-file", file], env);
    await runCommand([...DAY, "--log-file", file], { ...env, DWH_PASSWORD: "wrong" });
    const lines = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal([
      "info: run starts",
      "info: run ends",
      "error: run failed",
    ]);
    expect(lines[1].summary.events.inserted).to.equal(5);
  });

  it("shows a run in full, found by how its id begins", async () => {
    const { runId } = JSON.parse((await runCommand([...DAY, "--json"], env)).stdout);
    const shown = await runCommand(["runs", "show", runId.slice(0, 8)], env);
    expect(shown.stdout)
      .to.include(runId)
      .and.match(/waited for .*load/)
      .and.include("inserted 5");
    expectSentence(await runCommand(["runs", "show", "ffff"], env), 2, /There is no run ffff/);
  });

  it("ends quietly when its reader has seen enough", async () => {
    const { child, outcome } = startCommand(["run", ...DAY], env);
    child.stdout?.destroy();
    const { stderr, code } = await outcome;
    expect([code, stderr.includes("EPIPE")]).to.deep.equal([0, false]);
  });

  describe("on Ctrl-C", () => {
    const BATCHES = [...DAY, "--batch-rows", "3", "--concurrency", "1"];

    /** Interrupts the command when it reads an object that never comes. */
    async function interrupt(args: string[]): Promise<Outcome> {
      let reached = () => {};
      const met = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const hanging = lab.s3.fault(
        (exchange) => {
          reached();
          return hang()(exchange);
        },
        {
          when: gets(hourKey("3.json")),
        },
      );
      const { child, outcome } = startCommand(args, env);
      await met;
      await until("three rows are there", async () => (await lab.count()) >= 3);
      child.kill("SIGINT");
      const ended = await outcome;
      hanging.lift();
      return ended;
    }

    it("says what stays, closes the run's row, exits with 130; the next run goes on", async () => {
      const { code, stderr, stdout } = await interrupt(BATCHES);
      const rows = await lab.count();
      expect([code, stdout]).to.deep.equal([130, ""]);
      expect(stderr).to.match(new RegExp(`^Interrupted\\. ${rows} events stay; run again to go on\\.$`, "m"));
      const { status, events } = await lab.row(
        "SELECT status, events FROM etl.runs ORDER BY started_at DESC LIMIT 1",
      );
      expect([status, events.inserted]).to.deep.equal(["interrupted", rows]);
      await expectIdentity(lab.db.pool);
      expect((await runCommand(DAY, env)).code).to.equal(0);
      expect(await lab.count()).to.equal(5);
    });

    it("says it in JSON", async () => {
      const { code, stdout } = await interrupt([...BATCHES, "--json"]);
      expect([code, JSON.parse(stdout).status]).to.deep.equal([130, "interrupted"]);
    });
  });

  it("loads a directory and finds nothing missing in it", async () => {
    const own = await openLab();
    const folder = mkdtempSync(join(tmpdir(), "samples-"));
    const source = ["--source", join(folder, "raw")];
    const made = [
      "sample",
      "--events",
      "500",
      "--layout",
      "ndjson",
      "--seed",
      "7",
      "--out",
      join(folder, "raw"),
    ];
    for (const args of [made, [...source, "--json"], ["verify", ...source]]) {
      const { code, stdout, stderr } = await runCommand(args, labEnvironment(own));
      expect(code, `${args[0]}: ${stdout}${stderr}`).to.equal(0);
      if (args.includes("--json")) await expectIdentity(own.db.pool, JSON.parse(stdout));
    }
    expect(await own.count()).to.be.above(450);
    rmSync(folder, { recursive: true });
    await own.close();
  });
});
