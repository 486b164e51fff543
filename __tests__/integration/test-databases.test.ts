import { expect } from "chai";
import { newPostgres, startPostgres } from "../../testing/postgres.js";

describe("testing/postgres", () => {
  it("shares one server and gives every caller a database of its own", async () => {
    const postgres = await startPostgres();
    expect(await startPostgres()).to.equal(postgres);
    const [one, two] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await one.pool.query("CREATE TABLE t (x int)");
    const { rows } = await two.pool.query("SELECT to_regclass('t') AS t, version() AS version");
    expect(rows[0].t).to.equal(null);
    expect(rows[0].version).to.match(/^PostgreSQL 18\./);
    await Promise.all([one.drop(), two.drop()]);
  });

  it("keeps what was committed over a kill -9", async () => {
    const postgres = await newPostgres({ durable: true });
    const { pool } = await postgres.createDatabase();
    await pool.query("CREATE TABLE t AS SELECT generate_series(1, 1000) AS x");
    await postgres.kill9();
    const refused = await pool.query("SELECT 1").catch((error: Error) => error);
    expect(refused).to.be.instanceOf(Error);
    await postgres.start();
    expect((await pool.query("SELECT count(*)::int AS n FROM t")).rows[0].n).to.equal(1000);
    await pool.end();
  });
});
