import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  BUCKET,
  createDebianHost,
  createHost,
  skipWithout,
  skipWithoutHost,
  TUNNEL_ADDRESS,
  visit,
} from "../../testing/host/fixture.js";
import { debianPrograms, type WarehouseHost } from "../../testing/host/host.js";
import { runbookBlocks } from "../../testing/runbook.js";

const CONTENT = `SELECT (SELECT count(*)::int FROM clickstream_events) AS events,
  (SELECT md5(string_agg(e::text, ',' ORDER BY event_id)) FROM clickstream_events e) AS rows,
  (SELECT string_agg(version || checksum, ',' ORDER BY version) FROM etl.migrations) AS migrations`;
const OWNER = { user: "dwh_owner", from: TUNNEL_ADDRESS };

/** From Debian's PostgreSQL to the embedded 18, as the runbook says to go from 18 to the next. */
describe("a new major version of PostgreSQL", () => {
  let old: WarehouseHost;
  let fresh: WarehouseHost;

  before(async function () {
    skipWithoutHost(this);
    const programs = debianPrograms();
    if (programs === null || programs.includes("/18/")) return skipWithout(this, "No older PostgreSQL.");
    old = await createDebianHost(programs);
    await boot(old);
    await visit(
      old,
      {},
      `INSERT INTO clickstream_events (event_id, event_timestamp, event_name, context_product_name)
       SELECT gen_random_uuid(), now(), 'product_view', 'Tai nghe ' || n FROM generate_series(1, 5000) n`,
    );
    const { status, log } = await old.run("backup");
    expect(status, log).to.equal(0);
    fresh = await createHost();
  });
  after(async () => {
    await old?.stop();
    await fresh?.stop();
  });

  it("makes an empty cluster of its own on a new volume", async () => {
    expect(await boot(fresh)).to.match(/made a PostgreSQL 18 cluster/);
    const version = "SELECT current_setting('server_version_num')::int / 10000 AS major";
    expect((await visit(old, {}, version))[0]?.major).to.be.below(18);
  });

  it("takes the dump of the older one by the runbook, with the same rows and migrations", async () => {
    const folder = join(old.awsFolder, "s3", BUCKET, "backups");
    for (const name of await readdir(folder))
      await fresh.putObject(BUCKET, `backups/${name}`, await readFile(join(folder, name)));
    const [dump = ""] = (await readdir(folder)).sort();
    const [look = "", ...steps] = runbookBlocks("Restore from a dump");
    const { status, log } = await fresh.type(look.replace(/^DUMP=.*$/m, `DUMP=${dump}`) + steps.join("\n"));
    expect(status, log).to.equal(0);
    const setup = await fresh.run("setup");
    expect(setup.status, setup.log).to.equal(0);
    expect(setup.log).to.not.include("applied");
    const [content] = await visit(fresh, OWNER, CONTENT);
    expect(content).to.deep.equal((await visit(old, OWNER, CONTENT))[0]);
    expect(content?.events).to.equal(5000);
  });

  it("lets the roles in as before: the function writes, the dashboard reads", async () => {
    await visit(
      fresh,
      {},
      `INSERT INTO clickstream_events (event_id, event_timestamp, event_name)
       VALUES (gen_random_uuid(), now(), 'click')`,
    );
    const reader = { user: "dashboard_reader", from: TUNNEL_ADDRESS };
    expect(await visit(fresh, reader, "SELECT count(*)::int AS n FROM clickstream_events")).to.deep.equal([
      { n: 5001 },
    ]);
  });
});

async function boot(host: WarehouseHost): Promise<string> {
  const { status, log } = await host.boot();
  expect(status, log).to.equal(0);
  return log;
}
