import { expect } from "chai";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";

const NOTE = `INSERT INTO etl.exports (day, part, key, rows, ids, details, checksum, bytes, etag, verified_at)
  SELECT (hour AT TIME ZONE 'UTC')::date, 0, 'k', sum(rows), sum(ids), sum(details), 'c', 1, 'e', now()
  FROM etl.loaded_hours GROUP BY 1
  ON CONFLICT (day, part) DO UPDATE SET rows = excluded.rows, ids = excluded.ids, details = excluded.details`;

describe("integration: the days of the lake", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    lab.s3.put(hourKey("a.json", "05"), json([event(1), event(2)]));
    await lab.run();
  });
  afterEach(() => lab.close());

  const days = async () => {
    const { rows } = await lab.db.pool.query(
      "SELECT day::text, rows::int, exported::int, stale FROM etl.lake_days ORDER BY day",
    );
    return rows;
  };
  const freeze = async () => (await lab.row("SELECT etl.freeze_export('2025-12-06') AS frozen")).frozen;

  it("are stale until exported, and again after a load, a removal or a detail", async () => {
    expect(await days()).to.deep.equal([{ day: "2025-12-06", rows: 2, exported: null, stale: true }]);
    await lab.db.pool.query(NOTE);
    expect(await days()).to.deep.equal([{ day: "2025-12-06", rows: 2, exported: 2, stale: false }]);
    lab.s3.put(hourKey("late.json", "05"), json(event(3)));
    await lab.run();
    expect(await days()).to.deep.equal([{ day: "2025-12-06", rows: 3, exported: 2, stale: true }]);
    for (const change of ["-1, 0, 0", "0, 5, 0", "0, 0, 1"]) {
      await lab.db.pool.query(NOTE);
      expect((await days())[0].stale).to.equal(false);
      await lab.db.pool.query(
        `INSERT INTO etl.loaded_hours (hour, rows, ids, details) VALUES ('2025-12-06T05:00Z', ${change})`,
      );
      expect((await days())[0].stale, change).to.equal(true);
    }
  });

  it("are frozen for good when their file is whole, and only then", async () => {
    expect(await freeze(), "no file").to.equal(false);
    await lab.db.pool.query(NOTE);
    await lab.db.pool.query("UPDATE etl.exports SET verified_at = NULL");
    expect(await freeze(), "not verified").to.equal(false);
    await lab.db.pool.query("UPDATE etl.exports SET verified_at = now()");
    const writer = await lab.db.pool.connect();
    await writer.query("SELECT pg_advisory_lock(7263003)");
    expect(await freeze(), "being written").to.equal(false);
    await writer.query("SELECT pg_advisory_unlock(7263003)");
    writer.release();
    expect(await freeze()).to.equal(true);
    await lab.db.pool.query(
      "INSERT INTO etl.loaded_hours (hour, rows, ids) VALUES ('2025-12-06T05:00Z', -1, 0)",
    );
    expect((await days())[0], "it is not written from what is left").to.include({ rows: 1, stale: false });
    expect(await freeze(), "a further step").to.equal(true);
  });
});
