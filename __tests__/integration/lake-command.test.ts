import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SAVED_QUERIES } from "../../stacks/lake-queries.js";
import { labEnvironment, runCommand } from "../../testing/lab/command.js";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";

describe("integration: the commands lake and query", function () {
  this.timeout(300_000);
  let lab: Lab;
  let folder: string;
  before(async () => {
    [lab, folder] = [await openLab(), mkdtempSync(join(tmpdir(), "lake-command-"))];
    lab.s3.put(hourKey("a.json"), json([event(1, { userId: 'a "b", c' }), event(2)]));
    await lab.run();
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await lab.close();
  });

  const command = (...args: string[]) => runCommand(args, labEnvironment(lab));
  const query = (...args: string[]) => command("query", "--lake", folder, ...args);

  it("export what is closed, and list it", async () => {
    const done = await command("lake", "export", "--to", folder, "--json");
    expect(done.code, done.stderr).to.equal(0);
    expect(JSON.parse(done.stdout)).to.deep.equal({
      days: 1,
      rows: 2,
      late: 0,
      waiting: 0,
      location: folder,
      errors: [],
    });
    const { days } = JSON.parse((await command("lake", "status", "--json")).stdout);
    expect(days).to.have.length(1);
    expect(days[0]).to.include({ day: "2025-12-06", rows: 2, exported: 2, stale: false, prunedAt: null });
  });

  it("refuse another place than the one that holds the days", async () => {
    const { code, stderr } = await command("lake", "export", "--to", join(folder, "other"));
    expect(code).to.equal(2);
    expect(stderr).to.match(/is not the lake that this warehouse's days were exported to: it lacks /);
  });

  it("name a bucket that is not there in one sentence", async () => {
    await lab.db.pool.query("TRUNCATE etl.exports");
    const { code, stderr } = await command("lake", "export", "--to", "s3://no-such-bucket");
    expect(code).to.equal(1);
    expect(stderr).to.include("The lake's bucket no-such-bucket does not exist: check LAKE_BUCKET.");
    expect(await lab.row("SELECT count(*)::int AS n FROM etl.exports")).to.deep.equal({ n: 0 });
  });

  it("answer as a table, JSON and CSV, times in UTC", async () => {
    const sql = "SELECT day, event_timestamp, user_id FROM clickstream_events ORDER BY event_id";
    const asJson = await query(sql, "--json");
    expect(JSON.parse(asJson.stdout || "{}"), asJson.stderr).to.deep.equal({
      rows: [
        { day: "2025-12-06", event_timestamp: "2025-12-06 05:00:00", user_id: 'a "b", c' },
        { day: "2025-12-06", event_timestamp: "2025-12-06 05:00:00", user_id: null },
      ],
    });
    expect((await query(sql, "--csv")).stdout.trim().split("\n")).to.deep.equal([
      "day,event_timestamp,user_id",
      '2025-12-06,2025-12-06 05:00:00,"a ""b"", c"',
      "2025-12-06,2025-12-06 05:00:00,",
    ]);
    const { stdout } = await query(sql);
    expect(stdout)
      .to.include("event_timestamp")
      .and.to.match(/2 rows\n$/);
  });

  it("know the dashboard's questions, each of which DuckDB understands", async () => {
    expect(JSON.parse((await query("--list", "--json")).stdout).queries).to.have.length(SAVED_QUERIES.length);
    for (const { name } of SAVED_QUERIES) {
      const { code, stderr } = await query("--saved", name, "--json");
      expect(code, `${name}: ${stderr}`).to.equal(0);
    }
  });

  it("refuse what they cannot do in a sentence", async () => {
    expect((await query("SELECT nothing FROM nowhere")).stderr).to.match(
      /^query: The statement failed: .*nowhere/,
    );
    expect((await query("--saved", "x")).stderr).to.match(/There is no saved question "x": there are days, /);
    expect((await runCommand(["query", "--lake", "/nowhere", "SELECT 1"], {})).stderr).to.match(
      /There is no lake in \/nowhere/,
    );
  });
});
