import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { TestDatabase } from "../helpers/postgres.js";
import { findProgram, requireR } from "./support/tools.js";
import { asReader, smallShop } from "./support/warehouse.js";

const RUN = fileURLToPath(new URL("../../dashboard/tests/run.R", import.meta.url));

describe("the dashboard's R code", () => {
  let database: TestDatabase;
  before(async function () {
    requireR(this);
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
    const { status, stdout, stderr } = spawnSync(findProgram("Rscript") ?? "Rscript", [RUN], {
      env,
      encoding: "utf8",
      timeout: 180_000,
    });
    expect(status, `${stdout}\n${stderr}`).to.equal(0);
    expect(stdout).to.match(/[1-9]\d+ passed, 0 failed, 0 skipped/);
  });
});
