import { spawnSync } from "node:child_process";
import { expect } from "chai";
import type { Runtime } from "../../cli/dashboard/runtime.js";
import { requireR } from "../../testing/dashboard/tools.js";
import { asReader, smallShop } from "../../testing/dashboard/warehouse.js";
import type { TestDatabase } from "../../testing/postgres.js";

describe("the dashboard's R code", () => {
  let database: TestDatabase;
  let runtime: Runtime;
  before(async function () {
    runtime = requireR(this);
    database = await smallShop();
  });
  after(async () => database?.drop());

  it("passes its testthat suite on a real warehouse", async () => {
    const { host, port, user, password, database: name } = await asReader(database);
    const env = {
      ...process.env,
      LC_ALL: "C.UTF-8",
      PGHOST: host,
      PGPORT: `${port}`,
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: name,
    };
    const { status, stdout, stderr } = spawnSync(
      runtime.command,
      [...runtime.args, `${runtime.app}/../tests/run.R`],
      {
        env,
        encoding: "utf8",
        timeout: 540_000,
      },
    );
    expect(status, `${stdout}\n${stderr}`).to.equal(0);
    expect(stdout).to.match(/[1-9]\d+ passed, 0 failed, 0 skipped/);
  });
});
