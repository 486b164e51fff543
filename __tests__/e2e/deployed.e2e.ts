import { World } from "../../testing/e2e/world.js";
import { describeAwsFaults } from "./aws-faults.js";
import { describeBackfill } from "./backfill.js";
import { describeCrashes } from "./crashes.js";
import { describeDatabaseFaults } from "./database-faults.js";
import { describePoison } from "./poison.js";
import { describeRun } from "./run.js";
import { describeVerification } from "./verification.js";

describe("the deployed system", () => {
  let world: World;

  before(async function () {
    this.timeout(1_800_000); // the very first time the runtime interface client is built
    world = await World.deploy(this);
  });
  after(() => world?.stop());

  describeRun(() => world);
  describeAwsFaults(() => world);
  describeCrashes(() => world);
  describeBackfill(() => world);
  describePoison(() => world);
  describeDatabaseFaults(() => world);
  describeVerification(() => world);
});
