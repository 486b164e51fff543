import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Answer, type LambdaApi, startLambdaApi, summary } from "../../cli/support/lambda-api.js";
import { REPOSITORY } from "../../helpers/terraform.js";
import { ACCOUNT_ID } from "../account.js";
import type { Operator } from "./operator.js";

/** Years ahead, so that it is no backfill of the developer's own. */
const WINDOW = ["--from", "2099-01-01", "--to", "2099-01-01T04:00Z"];
const FOLDER = join(REPOSITORY, ".local/backfill");
const FILE = `${ACCOUNT_ID}-SBW_Lamda_ETL-2099-01-01T0000Z-2099-01-01T0400Z.json`;

export function describeBackfill(operator: () => Operator): void {
  describe("backfill", () => {
    let lambda: LambdaApi;
    let answer: (from: string) => Answer;

    before(async () => {
      lambda = await startLambdaApi("SBW_Lamda_ETL", ({ from }) => answer(from));
    });
    after(async () => {
      await lambda?.stop();
      rmSync(join(FOLDER, FILE), { force: true });
    });

    const backfill = (...args: string[]) => {
      lambda.events.length = 0;
      const env = { ...operator().env, AWS_ENDPOINT_URL_LAMBDA: lambda.url };
      return operator().runIn(env, "backfill", ...args);
    };
    const loaded = (): Answer => ({ summary: summary({ events: { read: 5, inserted: 5 } }) });

    it("finds the function by its output, lists what failed, and exits with 1", async () => {
      answer = (from) =>
        from.includes("T02") ? { functionError: "The warehouse cannot be reached." } : loaded();
      const { code, output } = await backfill(...WINDOW);
      expect(code, output).to.equal(1);
      expect(lambda.events).to.have.length(4);
      expect(output)
        .to.match(/windows\s+│ 3 of 4/)
        .and.include("4/4 windows, 15 events, 1 failed");
      expect(output).to.include("✘ 2099-01-01T02:00Z – 2099-01-01T03:00Z  The warehouse cannot be reached.");
      expect(readdirSync(FOLDER)).to.include(FILE);
    });

    it("given again, does only what is left, and forgets the progress when all is done", async () => {
      answer = loaded;
      const { code, stdout } = await backfill(...WINDOW, "--json");
      expect(code, stdout).to.equal(0);
      expect(lambda.events).to.deep.equal([{ from: "2099-01-01T02:00Z", to: "2099-01-01T03:00Z" }]);
      expect(JSON.parse(stdout)).to.deep.include({ total: 4, done: 4, resumed: 3, failed: [] });
      expect(JSON.parse(stdout).sums).to.include({ invocations: 4, inserted: 20 });
      expect(existsSync(join(FOLDER, FILE))).to.equal(false);
    });

    it("remembers nothing of a dry run", async () => {
      const { code, output } = await backfill(...WINDOW, "--by", "day", "--dry-run");
      expect(code, output).to.equal(0);
      expect(lambda.events).to.deep.equal([
        { from: "2099-01-01T00:00Z", to: "2099-01-01T04:00Z", dryRun: true },
      ]);
      expect(output).to.include("Dry run, nothing was written.");
      expect(existsSync(join(FOLDER, FILE))).to.equal(false);
    });

    it("refuses a window that is none with exit 2", async () => {
      const { code, output } = await backfill("--from", "2099-01-02", "--to", "2099-01-01");
      expect(code).to.equal(2);
      expect(output).to.match(/^backfill: The window is empty: --from .* must lie before --to/m);
      expect(lambda.events).to.deep.equal([]);
    });
  });
}
