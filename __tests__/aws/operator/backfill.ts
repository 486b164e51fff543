import { expect } from "chai";
import type { Operator } from "../../../testing/aws/operator.js";

export function describeBackfill(operator: () => Operator): void {
  describe("backfill", () => {
    const backfill = (...args: string[]) => operator().runIn(operator().env, "backfill", ...args);

    it("finds the machine by its output, and says that nothing was started yet", async () => {
      const { code, output } = await backfill("--follow");
      expect(code, output).to.equal(1);
      expect(output).to.include("There has been no backfill: start one with --from and --to.");
    });

    it("refuses a window that is none with exit 2", async () => {
      const { code, output } = await backfill("--from", "2099-01-02", "--to", "2099-01-01");
      expect(code).to.equal(2);
      expect(output).to.match(/^backfill: The window is empty: --from .* must lie before --to/m);
    });
  });
}
