import { expect } from "chai";
import { COMPOSE } from "../../cli/target/compose.js";
import { TargetError } from "../../cli/target/errors.js";
import { openTarget, type Target } from "../../cli/target/open-target.js";
import { choosePort } from "../../cli/target/server.js";
import type { Env } from "../../functions/etl/environment.js";
import { startPostgres, type TestDatabase } from "../helpers/postgres.js";

describe("a target database that runs already", function () {
  this.timeout(60_000);
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
});
