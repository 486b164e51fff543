import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readConfig } from "../../cli/deployed/config.js";
import { readOutputs } from "../../cli/deployed/state.js";
import { CHECKS, type Finding } from "../../cli/doctor/doctor.js";
import { reportText } from "../../cli/doctor/report.js";
import { explainAwsError } from "../../connect/explain-aws.js";
import { loadConfig } from "../../stacks/config.js";
import { refuse, startS3 } from "../../testing/s3/s3.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const STATE = JSON.stringify({ version: 4, outputs: { instance_id: { value: "i-0abc", type: "string" } } });

describe("doctor's report", () => {
  const holds: Finding = { check: "endpoints", status: "holds", detail: "s3 is available", fix: null };
  const fails: Finding = { check: "schedule", status: "fails", detail: "it is disabled", fix: "enable it" };
  const unknown: Finding = { check: "backups", status: "unknown", detail: "denied", fix: "fix this" };

  it("has one line for each check, with what to do beside what fails", () => {
    expect(reportText([holds, fails, unknown]).split("\n")).to.deep.equal([
      "✔ endpoints  s3 is available",
      "✘ schedule   it is disabled → enable it",
      "? backups    denied → fix this",
      "",
      "1 of 3 checks hold, 1 fails, 1 could not be made.",
    ]);
  });

  it("closes in one sentence when all is well", () => {
    expect(reportText([holds])).to.match(/\n\nThe one check holds\.$/);
  });
});

describe("docs/doctor.md", () => {
  const page = readFileSync(join(REPOSITORY, "docs/doctor.md"), "utf8");

  it("shows each check in both examples, in their order, and counts them", () => {
    const names = CHECKS.map(({ name }) => name);
    const shown = [...page.matchAll(/^ {4}[✔✘] ([a-z ]+?) {2,}/gm)].map(([, name]) => name);
    expect(shown).to.deep.equal([...names, ...names]);
    expect(page)
      .to.include(`All ${names.length} checks hold.`)
      .and.include(`of ${names.length} checks hold, 3 fail.`);
  });

  it("says when each fails", () => {
    const table = page.slice(page.indexOf("| check |"));
    for (const { name } of CHECKS)
      expect(table, name).to.match(new RegExp(`^\\| (.*, )?${name}(, .*)? \\|`, "m"));
  });
});

describe("the deployed environment", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "deployed-"));
    mkdirSync(join(folder, "cdktf.out"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const failure = (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
      () => expect.fail("It should have been refused."),
      (error) => error,
    );

  describe("is configured by", () => {
    const read = (context: object | undefined, env: Record<string, string>) => {
      writeFileSync(join(folder, "cdktf.json"), JSON.stringify({ context }));
      return readConfig(folder, env);
    };

    it("the context of cdktf.json, which hides CDKTF_CONTEXT_JSON as it does for cdktf", () => {
      const env = { CDKTF_CONTEXT_JSON: '{"environment":"staging","project":"other"}' };
      expect(read({ environment: "test" }, env)).to.include({ environment: "test", project: "clickstream" });
      expect(read(undefined, env)).to.include({ environment: "staging", project: "other" });
    });

    it("the defaults where there is neither", () => {
      expect(read(undefined, {})).to.deep.equal(loadConfig());
    });
  });

  describe("is found by the outputs in its state,", () => {
    it("a file beside the output folder", async () => {
      const config = loadConfig({ environment: "test", stateBucket: null });
      writeFileSync(join(folder, "terraform.test.warehouse.tfstate"), STATE);
      const location = { config, output: join(folder, "cdktf.out"), s3: undefined as never };
      expect([...(await readOutputs(location, "warehouse"))]).to.deep.equal([["instance_id", "i-0abc"]]);
      const error = await failure(readOutputs(location, "scheduler"));
      expect(error.name).to.equal("CommandError");
      expect(error.message)
        .to.include("scheduler of the environment test is not deployed")
        .and.include(folder);
    });

    it("or an object of stateBucket", async () => {
      const s3 = await startS3();
      const config = loadConfig({ stateBucket: s3.bucket, environment: "test" });
      s3.put("clickstream/test/warehouse.tfstate", STATE);
      const location = { config, output: folder, s3: s3.client };
      expect([...(await readOutputs(location, "warehouse"))]).to.deep.equal([["instance_id", "i-0abc"]]);
      const error = await failure(readOutputs(location, "scheduler"));
      expect(error.message).to.include(`s3://${s3.bucket}/clickstream/test/scheduler.tfstate`);
      s3.fault(refuse(403, "AccessDenied"));
      expect(explainAwsError(await failure(readOutputs(location, "warehouse")))).to.include(
        "may not do this",
      );
      await s3.stop();
    });

    it("and of no version that is not known", async () => {
      writeFileSync(join(folder, "terraform.local.warehouse.tfstate"), '{"version":5}');
      const config = loadConfig({ environment: "local" });
      const location = { config, output: join(folder, "cdktf.out"), s3: undefined as never };
      expect((await failure(readOutputs(location, "warehouse"))).message).to.include("version 5");
    });
  });
});

describe("an error of AWS", () => {
  const named = (name: string, message = "why") => Object.assign(new Error(message), { name });

  it("is put as what the operator can do about it", () => {
    expect(explainAwsError(named("CredentialsProviderError")))
      .to.include("aws sso login")
      .and.include("why");
    expect(explainAwsError(named("ExpiredTokenException"))).to.include("log in");
    expect(explainAwsError(named("UnauthorizedOperation"))).to.include("may not do this");
    const refused = Object.assign(named("Error", ""), { code: "ECONNREFUSED" });
    expect(explainAwsError(refused)).to.include("cannot be reached (ECONNREFUSED)");
  });

  it("is left alone when it is of no such kind", () => {
    expect(explainAwsError(named("TypeError"))).to.equal(null);
  });
});
