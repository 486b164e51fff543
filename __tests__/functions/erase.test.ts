import { expect } from "chai";
import { PlanError } from "etl-lib";
import { copiesLeft } from "../../connect/copies.js";
import { parseErasure } from "../../functions/etl/erase.js";

describe("the function's erasure", () => {
  it("names a person by one of two ids, for real or for a count", () => {
    expect(parseErasure({ erase: { userId: "u-1" } })).to.deep.equal({
      person: { kind: "user_id", id: "u-1" },
      dryRun: false,
    });
    expect(parseErasure({ erase: { clientId: "c-1" }, dryRun: true })).to.deep.equal({
      person: { kind: "client_id", id: "c-1" },
      dryRun: true,
    });
  });

  it("leaves every other event to the runs", () => {
    for (const event of [undefined, null, {}, { load: false }, { source: "aws.events" }])
      expect(parseErasure(event)).to.equal(null);
  });

  const bad = [
    {},
    null,
    { userId: "secret-id", clientId: "secret-id" },
    { userId: 7 },
    { user: "secret-id" },
    "secret-id",
  ];
  for (const erase of bad)
    it(`refuses ${JSON.stringify(erase)}, and does not repeat the id`, () => {
      expect(() => parseErasure({ erase })).to.throw(
        PlanError,
        /^"erase" has to be .* nothing was erased\.$/,
      );
      expect(() => parseErasure({ erase })).not.to.throw(PlanError, /secret-id/);
    });

  it("refuses a word beside it", () => {
    expect(() => parseErasure({ erase: { userId: "u" }, from: "2025-12-06" })).to.throw(PlanError);
  });

  it("says of each copy out of reach when it expires, and the command for it", () => {
    const env = { RAW_BUCKET: "raw", RAW_EXPIRATION_DAYS: "0", SNAPSHOT_RETENTION_DAYS: "7" };
    const [raw, snapshots, dumps] = copiesLeft(env, ["2025-12-06"]);
    expect(raw?.expires).to.equal("never by itself");
    expect(raw?.command).to.contain("s3://raw/events/2025/12/06/");
    expect(snapshots?.expires).to.equal("7 days after it was made");
    expect(dumps?.expires).to.equal("not known here");
  });
});
