import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Attributes, synthesize } from "../../testing/terraform/synth.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

/** Prefixes of IAM by the SDK's package and the AWS CLI's name of a service, where they differ. */
const PREFIX: Readonly<Record<string, string>> = { eventbridge: "events", sfn: "states" };
/** Actions that are named otherwise than the call. */
const ACTION: Readonly<Record<string, string>> = {
  "s3:ListObjectsV2": "s3:ListBucket",
  "logs:Tail": "logs:FilterLogEvents",
};

const sources = (...folders: string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { encoding: "utf8" }).map((name) =>
      readFileSync(join(REPOSITORY, folder, name), "utf8"),
    ),
  );

const actionOf = (service: string, call: string): string => {
  const action = `${PREFIX[service] ?? service}:${call}`;
  return ACTION[action] ?? action;
};

/** The calls that the sources make through the SDK. */
function sdkCalls(...folders: string[]): string[] {
  return sources(...folders).flatMap((text) =>
    [...text.matchAll(/import \{([^}]+)\} from "@aws-sdk\/client-([a-z0-9]+)"/g)].flatMap(
      ([, names = "", service = ""]) =>
        [...names.matchAll(/\b(?:paginate([A-Z]\w+)|([A-Z]\w+)Command)\b/g)].map(([, paged, sent]) =>
          actionOf(service, paged ?? sent ?? ""),
        ),
    ),
  );
}

/** The commands of the AWS CLI that doctor tells the reader to run. */
function advisedCalls(): string[] {
  return sources("cli/doctor", "cli/deployed").flatMap((text) =>
    [...text.matchAll(/\baws (cloudwatch|ec2|events|logs|sns|sqs|ssm) ([a-z-]+)/g)].map(
      ([, service = "", verb = ""]) =>
        actionOf(
          service,
          verb.replaceAll(/(^|-)([a-z])/g, (_, __, letter) => letter.toUpperCase()),
        ),
    ),
  );
}

describe("the policies that an administrator attaches", () => {
  const { warehouse } = synthesize();
  const policyOf = (id: string): Attributes[] =>
    JSON.parse(warehouse.resource("aws_iam_policy", id).policy as string).Statement;
  const actions = (id: string) => policyOf(id).flatMap(({ Action }) => Action as string[]);
  const resourcesOf = (action: string) =>
    policyOf("access_operator")
      .filter(({ Action }) => (Action as string[]).includes(action))
      .flatMap(({ Resource }) => Resource as string[]);

  it("an operator's allows every call of doctor, tunnel and backfill, and what doctor advises", () => {
    const calls = new Set([
      ...sdkCalls("cli/doctor", "cli/tunnel", "cli/backfill", "cli/deployed"),
      ...advisedCalls(),
    ]);
    expect(calls.size).to.be.at.least(25);
    for (const call of calls) expect(actions("access_operator")).to.include(call);
  });

  it("an operator's allows verify: to list and read the raw events", () => {
    expect(resourcesOf("s3:GetObject")).to.include("arn:aws:s3:::clickstream-s3-ingest/events/*");
    expect(resourcesOf("s3:ListBucket")).to.include("arn:aws:s3:::clickstream-s3-ingest");
  });

  it("an operator's allows doctor to look for the lake's own bucket", () => {
    const statements = JSON.parse(
      synthesize({ lake: true, lakeBucket: "years" }).warehouse.resource("aws_iam_policy", "access_operator")
        .policy as string,
    ).Statement as Attributes[];
    const listed = statements.filter(({ Action }) => (Action as string[]).includes("s3:ListBucket"));
    expect(listed.flatMap(({ Resource }) => Resource)).to.include("arn:aws:s3:::years");
    expect(resourcesOf("s3:ListBucket")).to.have.length(2);
  });

  it("an operator writes nothing but the lists of a backfill and new passwords, and starts no other machine", () => {
    expect(resourcesOf("s3:PutObject")).to.satisfy(
      (all: string[]) => all.length === 1 && all[0]?.endsWith("/backfills/*"),
    );
    for (const arn of resourcesOf("ssm:PutParameter")) expect(arn).to.match(/dwh_secrets_\w+_password\.arn/);
    expect(resourcesOf("states:StartExecution")).to.satisfy(
      (all: string[]) => all.length === 1 && all[0]?.endsWith(":stateMachine:SBW_ETL_BACKFILL"),
    );
    for (const action of ["states:DescribeExecution", "states:StopExecution", "states:ListMapRuns"])
      expect(resourcesOf(action)).to.satisfy(
        (all: string[]) => all.length === 1 && all[0]?.includes(":execution:SBW_ETL_BACKFILL:"),
      );
  });

  it("an analyst's allows the tunnel, and changes nothing", () => {
    for (const call of sdkCalls("cli/tunnel")) expect(actions("access_analyst")).to.include(call);
    for (const action of actions("access_analyst"))
      expect(action).to.match(/:(Get|Describe|StartSession|ResumeSession|TerminateSession)/);
  });

  it("lets an operator encrypt a password under a customer key, and only with one", () => {
    const kmsKeyArn = "arn:aws:kms:ap-southeast-1:111122223333:key/0f1e2d3c";
    const keyed = synthesize({ kmsKeyArn }).warehouse.resource("aws_iam_policy", "access_operator").policy;
    expect(keyed).to.include("kms:Encrypt").and.include(kmsKeyArn);
    expect(actions("access_operator").join()).to.not.include("kms:");
  });
});
