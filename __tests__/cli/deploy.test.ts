import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { reportPlans, reportStack, reportUnplanned } from "../../cli/plan/report.js";
import { forgetSavedPlan, readSavedPlan, savePlan, whyNot } from "../../cli/plan/saved-plan.js";
import { REPOSITORY, run } from "../../testing/terraform/terraform.js";

const stack = (name: string, ...dependencies: string[]) => ({
  name,
  workingDirectory: `stacks/${name}`,
  dependencies,
});
const STACKS = [stack("network"), stack("endpoints", "network"), stack("scheduler", "network", "endpoints")];
const NO_CHANGES = { resource_changes: [], output_changes: { vpc: { actions: ["no-op"] as const } } };
const NEW_OUTPUT = { resource_changes: [], output_changes: { vpc: { actions: ["update"] as const } } };

describe("a saved plan", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "saved-plan-"));
    for (const { name, workingDirectory } of STACKS) {
      mkdirSync(join(folder, workingDirectory), { recursive: true });
      writeFileSync(join(folder, workingDirectory, "plan"), `the plan of ${name}`);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const save = (network: object) =>
    savePlan(
      folder,
      STACKS,
      reportPlans([
        reportStack("network", network),
        reportStack("endpoints", NO_CHANGES),
        reportUnplanned("scheduler", "waiting", "for network"),
      ]),
    );

  it("is applied as far as each stack's plan holds", async () => {
    await save(NO_CHANGES);
    const [network, endpoints, scheduler] = await readSavedPlan(folder);
    if (!network || !endpoints || !scheduler) throw new Error("not all were saved");
    expect(whyNot(network, [])).to.equal(null);
    expect(whyNot(endpoints, [network])).to.equal(null);
    expect(whyNot(scheduler, [network, endpoints])).to.equal("scheduler could not be planned");
    expect(network.changes).to.equal(false);
  });

  it("does not hold for what reads an output that changed under it", async () => {
    await save(NEW_OUTPUT);
    const [network, endpoints] = await readSavedPlan(folder);
    if (!network || !endpoints) throw new Error("not all were saved");
    expect(network.changes).to.equal(true);
    expect(whyNot(endpoints, [network])).to.equal(
      "endpoints was planned before the outputs of network changed, which it reads",
    );
  });

  it("is not applied when a plan file is another than the one that was reviewed", async () => {
    await save(NO_CHANGES);
    writeFileSync(join(folder, "stacks/endpoints/plan"), "another plan");
    expect(await failure(readSavedPlan(folder))).to.equal(
      "The plan of endpoints is not the one that was saved: plan again.",
    );
  });

  it("is applied once, and one that was not saved not at all", async () => {
    await save(NO_CHANGES);
    await forgetSavedPlan(folder);
    expect(await failure(readSavedPlan(folder))).to.include("npm run plan -- --save makes one");
  });
});

describe("destroy", () => {
  it("says what to set while the data is protected, before cdktf starts", async () => {
    const env = { ...process.env, CDKTF_CONTEXT_JSON: JSON.stringify({ protectData: true }) };
    const { code, output } = await run(process.execPath, ["bin/clickstream.js", "destroy"], {
      cwd: REPOSITORY,
      env,
    });
    expect(code).to.equal(1);
    expect(output).to.match(
      /^destroy: The data is protected, and nothing was destroyed\. Set protectData to false/,
    );
  });
});

function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "no failure",
    (error: Error) => error.message,
  );
}
