import { expect } from "chai";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";

/** After all the runs and all the faults. */
export function describeVerification(world: () => World): void {
  describe("in the end", () => {
    it("etl:local verify finds no gap between bucket, ledger, table and rollups", async () => {
      const source = `s3://${world().bucket}/events/`;
      const { code, output, stdout } = await world().etlLocal("verify", "--json", "--source", source);
      expect(code, output).to.equal(0);
      const { gaps, hasGaps, rollups, table } = JSON.parse(stdout);
      expect({ gaps, hasGaps, differences: rollups.differences }).to.deep.equal({
        gaps: [],
        hasGaps: false,
        differences: [],
      });
      expect(table.rows)
        .to.equal(table.ledgerInserted - table.pruned - table.erased)
        .and.to.be.greaterThan(10_000);
      await expectIdentity(world().warehouse.db);
    });
  });
}
