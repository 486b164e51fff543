import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LOOKBACK_HOURS } from "../../functions/etl/contract.js";
import { loadConfig } from "../../stacks/config.js";
import { artifactsBucketName, BACKUP_TIME_UTC } from "../../stacks/names.js";
import { synthesize } from "../../testing/terraform/synth.js";
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

describe("two environments in one account", () => {
  const NAMES = ["name", "bucket", "function_name", "alarm_name"];
  /** What Terraform makes and AWS knows by a name that no other may have in the account. */
  function names(context: Record<string, unknown>): string[] {
    return Object.values(synthesize(context)).flatMap((stack) =>
      stack
        .allResources()
        .filter(({ type }) => !/security_group|s3_bucket_|s3_object|iam_role_policy$/.test(type))
        .flatMap(({ type, attributes }) =>
          NAMES.flatMap((key) =>
            typeof attributes[key] === "string" && !String(attributes[key]).startsWith("${aws_")
              ? [`${type} ${attributes[key]}`]
              : [],
          ),
        ),
    );
  }

  it("share no name: an environment needs its own `environment` and nothing else", () => {
    const everything = { webDb: true, createRawBucket: true };
    const production = names(everything);
    const staging = names({ ...everything, environment: "staging" });
    expect(production.length).to.be.at.least(50);
    expect(staging).to.have.length(production.length);
    expect(staging.filter((name) => production.includes(name))).to.deep.equal([]);
    expect(new Set(staging).size).to.equal(staging.length);
  });
});
