import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LOOKBACK_HOURS } from "../../functions/etl/contract.js";
import { loadConfig } from "../../stacks/config.js";
import { artifactsBucketName, BACKUP_TIME_UTC } from "../../stacks/names.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const read = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");

/** A systemd unit and .env.example can import nothing: here is what keeps them in step. */
describe("names that stand outside of TypeScript too", () => {
  it("the nightly dump starts when the commands say it does", () => {
    expect(read("stacks/bootstrap/units/clickstream-backup.timer")).to.include(
      `OnCalendar=*-*-* ${BACKUP_TIME_UTC}:00 UTC`,
    );
  });

  it(".env.example shows the look-back that holds when it is not set", () => {
    expect(read(".env.example")).to.include(`#ETL_LOOKBACK_HOURS=${LOOKBACK_HOURS.default}\n`);
  });
});

describe("the artifacts bucket", () => {
  it("is named after project, environment and account, unless the configuration names it", () => {
    expect(artifactsBucketName(loadConfig(), "123456789012")).to.equal(
      "clickstream-production-artifacts-123456789012",
    );
    expect(artifactsBucketName(loadConfig({ artifactsBucket: "own-bucket" }), "123456789012")).to.equal(
      "own-bucket",
    );
  });
});
