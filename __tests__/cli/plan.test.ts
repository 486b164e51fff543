import { readFileSync } from "node:fs";
import { expect } from "chai";
import { exitCodeOf } from "../../cli/plan/command.js";
import { toMarkdown } from "../../cli/plan/markdown.js";
import { explainFailure } from "../../cli/plan/planner.js";
import { type PlanReport, reportPlans, reportStack, reportUnplanned } from "../../cli/plan/report.js";
import { inDependencyOrder } from "../../cli/plan/terraform.js";
import type { TerraformPlan } from "../../cli/plan/terraform-plan.js";

/** Recorded with Terraform 1.11 and the AWS provider 5.100.0 on an emulator; what does not change is left out. */
const fixture = (name: string): string =>
  readFileSync(new URL(`../../testing/cli/plans/${name}`, import.meta.url), "utf8");
const plan = (name: string): TerraformPlan => JSON.parse(fixture(`${name}.json`));

/**
 * The whole app is deployed with a raw bucket of its own; planned with another name for that bucket, another address
 * for the warehouse, ETL_LOOKBACK_HOURS 48 and no ec2messages endpoint.
 */
const CHANGED = reportPlans(
  ["endpoints", "warehouse", "scheduler"].map((stack) => reportStack(stack, plan(`changed-${stack}`))),
);
const FIRST = reportPlans([reportStack("network", plan("first-network"))]);

function change(report: PlanReport, address: string) {
  const found = report.stacks.flatMap(({ changes }) => changes).find((other) => other.address === address);
  if (found === undefined) throw new Error(`${address} is not in the report`);
  return found;
}

describe("the plan's report", () => {
  it("counts what is made, changed, replaced and destroyed, per stack and in all", () => {
    expect(CHANGED.stacks.map(({ stack, counts }) => [stack, counts])).to.deep.equal([
      ["endpoints", { create: 0, update: 1, replace: 0, destroy: 1 }],
      ["warehouse", { create: 0, update: 1, replace: 2, destroy: 0 }],
      ["scheduler", { create: 0, update: 2, replace: 7, destroy: 0 }],
    ]);
    expect(CHANGED.counts).to.deep.equal({ create: 0, update: 4, replace: 9, destroy: 1 });
    expect(CHANGED.destructive).to.equal(true);
  });

  it("takes creations for what they are: nothing is lost", () => {
    expect(FIRST.counts).to.deep.equal({ create: 26, update: 0, replace: 0, destroy: 0 });
    expect(FIRST.destructive).to.equal(false);
  });

  it("gives what changes of a resource, before and after, and nothing else", () => {
    const { action, attributes } = change(CHANGED, "aws_lambda_function.etl_function");
    expect(action).to.equal("update");
    expect(attributes).to.deep.equal([
      { path: "environment[0].variables.DWH_HOST", before: "10.0.128.10", after: "10.0.128.11" },
      { path: "environment[0].variables.ETL_LOOKBACK_HOURS", before: "72", after: "48" },
      {
        path: "environment[0].variables.RAW_BUCKET",
        before: "clickstream-s3-ingest",
        after: "clickstream-raw-two",
      },
    ]);
  });

  it("says what forces a replacement", () => {
    expect(change(CHANGED, "aws_instance.dwh_instance")).to.deep.include({
      action: "replace",
      because: ["private_ip"],
    });
  });

  it("names what a value that is not known yet will come from", () => {
    const { concern, attributes } = change(
      FIRST,
      "aws_vpc_security_group_ingress_rule.connectivity_warehouse_in_function",
    );
    expect(concern).to.equal("security group");
    expect(attributes).to.deep.include({
      path: "referenced_security_group_id",
      before: undefined,
      after: "(known after apply: aws_security_group.connectivity_function_group.id)",
    });
  });

  const concerns: [address: string, concern: string | null][] = [
    ["aws_route.public_default_route", "route"],
    ["aws_route_table_association.private_route_table_association", "route"],
    ["aws_internet_gateway.internet_gateway", "route"],
    ["aws_default_security_group.default_security_group", "security group"],
    ["aws_iam_role_policy.flow_logs_role_policy", "IAM"],
    ["aws_vpc.vpc", null],
  ];
  for (const [address, concern] of concerns) {
    it(`counts ${address} as a change of ${concern ?? "nothing that is spelled out"}`, () => {
      expect(change(FIRST, address).concern).to.equal(concern);
    });
  }

  it("counts endpoint and bucket policies among what is spelled out", () => {
    expect(change(CHANGED, "aws_vpc_endpoint.s3").concern).to.equal("endpoint policy");
    expect(change(CHANGED, "aws_s3_bucket_policy.raw_tls_only").concern).to.equal("bucket policy");
    expect(change(CHANGED, "aws_s3_bucket_public_access_block.raw_public_access").concern).to.equal(
      "bucket policy",
    );
  });

  it("does not give a sensitive value away, and still sees that it changes", () => {
    const secret = (value: string) => ({ password: value, user: "etl" });
    const report = reportStack("s", {
      resource_changes: [
        {
          address: "x.y",
          mode: "managed",
          type: "x",
          change: {
            actions: ["update"],
            before: secret("old-secret"),
            after: secret("new-secret"),
            after_unknown: {},
            before_sensitive: { password: true },
            after_sensitive: { password: true },
          },
        },
      ],
    });
    expect(report.changes[0]?.attributes).to.deep.equal([
      { path: "password", before: "(sensitive)", after: "(sensitive)" },
    ]);
    expect(JSON.stringify(report)).to.not.include("-secret");
  });
});

describe("the plan's Markdown", () => {
  const markdown = toMarkdown(CHANGED);
  const headings = markdown.split("\n").filter((line) => line.startsWith("#"));

  it("puts what is lost before everything else", () => {
    expect(headings).to.deep.equal([
      "# Terraform plan",
      "## 🛑 Destroyed or replaced",
      "## Stacks",
      "## Who may reach what",
      "## All changes",
    ]);
    expect(markdown).to.include("**0 to create, 4 to update, 9 to replace, 1 to destroy.**");
    expect(markdown).to.include("| endpoints | **DESTROY** | `aws_vpc_endpoint.ec2messages` | — |");
    expect(markdown).to.include("| warehouse | **REPLACE** | `aws_instance.dwh_instance` | `private_ip` |");
  });

  it("compares a policy line by line", () => {
    const block = blockAfter(markdown, "update `aws_vpc_endpoint.s3`");
    const changed = block.filter((line) => /^[-+]/.test(line));
    expect(changed.map((line) => line.replace(/ +/, " "))).to.deep.equal([
      '- "arn:aws:s3:::clickstream-s3-ingest",',
      '- "arn:aws:s3:::clickstream-s3-ingest/events/*"',
      '+ "arn:aws:s3:::clickstream-raw-two",',
      '+ "arn:aws:s3:::clickstream-raw-two/events/*"',
    ]);
    expect(block.join("\n")).to.match(/^ +"aws:PrincipalAccount": "123456789012"$/m);
  });

  it("spells out every rule of a security group that a first deploy makes", () => {
    const rules = FIRST.stacks[0]?.changes.filter(({ concern }) => concern === "security group") ?? [];
    expect(rules).to.have.length(13);
    for (const { address } of rules) {
      expect(blockAfter(toMarkdown(FIRST), `create \`${address}\``).length).to.be.greaterThan(0);
    }
  });

  it("has no section for what does not occur, and says so when nothing changes", () => {
    expect(toMarkdown(FIRST)).to.not.include("Destroyed or replaced");
    const nothing = toMarkdown(reportPlans([reportStack("network", {})]));
    expect(nothing).to.match(/^# Terraform plan\n\n\*\*No changes\.\*\*\n/);
    expect(nothing).to.not.include("## All changes");
  });

  it("cannot be broken out of by a value", () => {
    const report = reportStack("s", {
      resource_changes: [
        {
          address: "aws_iam_policy.x",
          mode: "managed",
          type: "aws_iam_policy",
          change: {
            actions: ["create"],
            before: null,
            after: { policy: "a\n```\n# Approved\n" },
            after_unknown: {},
            before_sensitive: false,
            after_sensitive: {},
          },
        },
      ],
    });
    expect(toMarkdown(reportPlans([report]))).to.include("````diff\n    policy:\n+     a\n+     ```\n");
  });
});

describe("a stack that cannot be planned", () => {
  const endpoints = { name: "endpoints", dependencies: ["network"] };

  it("is explained when what it reads from is not deployed yet", () => {
    const { status, message } = explainFailure(endpoints, fixture("waiting-endpoints.txt"));
    expect(status).to.equal("waiting");
    expect(message).to.equal(
      "it reads outputs of network that are not in the state yet: deploy network first, then plan again.",
    );
  });

  it("is Terraform's own error otherwise", () => {
    const output = "╷\n│ Error: no valid credential sources found\n│ \n│   with provider aws,\n╵\n";
    expect(explainFailure(endpoints, output)).to.deep.include({
      status: "failed",
      message: "Error: no valid credential sources found with provider aws,",
    });
  });

  it("shows in the Markdown with a question mark for its counts", () => {
    const report = reportPlans([reportUnplanned("endpoints", "waiting", "deploy network first.")]);
    const markdown = toMarkdown(report);
    expect(markdown).to.include("## Not planned\n\n- **endpoints**: deploy network first.");
    expect(markdown).to.include("| endpoints | ? | ? | ? | ? | ? |");
    expect(markdown).to.include("**Nothing could be planned.**");
    expect(report.destructive).to.equal(false);
  });
});

describe("a plan of which nothing could be made, as without credentials", () => {
  const failed = reportPlans([
    reportUnplanned("network", "failed", "Error: No valid credential sources found"),
  ]);

  it("says so, and never that there are no changes", () => {
    const markdown = toMarkdown(failed);
    expect(markdown).to.include("**Nothing could be planned.**").and.not.include("No changes");
    expect(markdown).to.include("No valid credential sources found");
  });

  it("exits 1, even when no stack failed but all wait", () => {
    expect(exitCodeOf(failed)).to.equal(1);
    expect(exitCodeOf(reportPlans([reportUnplanned("network", "waiting", "for another")]))).to.equal(1);
    expect(exitCodeOf(FIRST)).to.equal(0);
  });
});

describe("the order of the stacks", () => {
  const stack = (name: string, ...dependencies: string[]) => ({ name, dependencies });

  it("is that of their dependencies, else of their names", () => {
    const stacks = [stack("d", "b", "c"), stack("c", "a"), stack("b", "a"), stack("a")];
    expect(inDependencyOrder(stacks).map(({ name }) => name)).to.deep.equal(["a", "b", "c", "d"]);
  });

  it("names the stacks of a cycle", () => {
    expect(() => inDependencyOrder([stack("a"), stack("b", "c"), stack("c", "b")])).to.throw(
      "The stacks b, c form a cycle.",
    );
  });
});

/** The lines of the first code block after the line that holds `title`. */
function blockAfter(markdown: string, title: string): string[] {
  const lines = markdown.slice(markdown.indexOf(title)).split("\n");
  const start = lines.findIndex((line) => line.startsWith("```"));
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("```"));
  return lines.slice(start + 1, start + 1 + length);
}
