import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { COMPOSE, openTarget, type Target } from "../../cli/shared/target.js";
import type { Env } from "../../connect/environment.js";
import { TargetError } from "../../connect/errors.js";
import { choosePort } from "../../connect/local-port.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const MAIN = fileURLToPath(new URL("../../bin/clickstream.js", import.meta.url));

describe("a target database that runs already", () => {
  let database: TestDatabase;
  let env: Env;

  before(async () => {
    database = await (await startPostgres()).createDatabase();
    const { host, port, user, password, database: name } = database.config;
    env = { DWH_HOST: host, DWH_PORT: `${port}`, DWH_USER: user, DWH_PASSWORD: password, DWH_DATABASE: name };
  });
  after(() => database.drop());

  const nameOf = async ({ pool }: Target): Promise<string> =>
    (await pool.query("SELECT current_database() AS name")).rows[0].name;

  const refusal = async (change: Env): Promise<string> => {
    const error = await openTarget({ env: { ...env, ...change } }).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(TargetError);
    const { message } = error as TargetError;
    expect(message).to.match(/^[^\n]+\.$/);
    return message;
  };

  it("is taken from the DWH_* keys, before any other", async () => {
    const target = await openTarget({
      env,
      compose: { ...COMPOSE, ...database.config, database: "postgres" },
    });
    expect(await nameOf(target)).to.equal(database.config.database);
    expect(target.description).to.include("DWH_*").and.include(env.DWH_DATABASE);
    await target.close();
  });

  it("is docker-compose.yml's when it takes that file's credentials", async () => {
    const target = await openTarget({ env: {}, compose: { ...COMPOSE, ...database.config } });
    expect(await nameOf(target)).to.equal(database.config.database);
    expect(target.description).to.include("docker-compose.yml").and.include(`${database.config.port}`);
    await target.close();
  });

  it("refuses a login with the settings to check", async () => {
    const message = await refusal({ DWH_PASSWORD: "wrong-password" });
    expect(message).to.include("DWH_USER").and.include("DWH_PASSWORD").and.not.include("wrong-password");
  });

  it("names the database that is not there", async () => {
    expect(await refusal({ DWH_DATABASE: "nowhere" }))
      .to.include("nowhere")
      .and.include("DWH_DATABASE");
  });

  it("says when nobody listens", async () => {
    const port = `${await choosePort(0)}`;
    expect(await refusal({ DWH_PORT: port }))
      .to.include(port)
      .and.include("DWH_HOST")
      .and.include("DWH_PORT");
  });

  it("says when the host is not known", async () => {
    expect(await refusal({ DWH_HOST: "no-such-host.invalid", DWH_SSL: "disable" })).to.include("DWH_HOST");
  });

  it("does not go without TLS where TLS is required", async () => {
    expect(await refusal({ DWH_SSL: "require" })).to.include("DWH_SSL=disable");
  });

  it("names the key that is missing", async () => {
    const error = await openTarget({ env: { ...env, DWH_USER: "" } }).catch((reason: Error) => reason);
    expect((error as Error).message).to.include("DWH_USER is not set");
  });

  describe("npm run db:psql", () => {
    const psql = (change: Env, ...args: string[]) =>
      spawnSync(process.execPath, [MAIN, "psql", ...args], {
        env: { ...process.env, ...env, ...change },
        encoding: "utf8",
      });

    it("opens psql on the target with psql's own arguments", function () {
      if (spawnSync("psql", ["--version"]).error) this.skip();
      const { stdout, stderr, status } = psql({}, "-Atc", "SELECT current_database()");
      expect(stdout.trim()).to.equal(database.config.database);
      expect(stderr).to.include("Target: ");
      expect(status).to.equal(0);
    });

    it("says how to install psql where it is missing", () => {
      const { stderr, status } = psql({ PATH: "/nonexistent" });
      expect(stderr).to.include("psql is not installed").and.include("apt-get install");
      expect(status).to.equal(1);
    });

    it("fails with one sentence when the login is refused", () => {
      const { stderr, status } = psql({ DWH_PASSWORD: "wrong-password" });
      expect(stderr.trim()).to.match(/^psql: PostgreSQL at .* refused the login .*\.$/);
      expect(status).to.equal(1);
    });
  });
});
