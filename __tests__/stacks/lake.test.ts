import { expect } from "chai";
import { LAKE_COLUMNS } from "etl-lib";
import { SAVED_QUERIES } from "../../stacks/lake-queries.js";
import { type Attributes, ref, type SynthesizedStack, synthesize } from "../../testing/terraform/synth.js";

const BUCKET = "years-of-the-shop";
const statement = (document: unknown, sid: string) =>
  (JSON.parse(document as string) as { Statement: Attributes[] }).Statement.find(({ Sid }) => Sid === sid);

describe("lake stack", () => {
  const { scheduler, endpoints, lake } = synthesize({ lake: true, lakeBucket: BUCKET, lakeScanLimitGb: 5 });
  const stack = lake as SynthesizedStack;

  it("is not there by default, and neither are its permissions", () => {
    const off = synthesize();
    expect(off.lake).to.equal(undefined);
    expect(statement(off.endpoints.resource("aws_vpc_endpoint", "s3").policy, "WriteLake")).to.equal(
      undefined,
    );
    expect(off.scheduler.resource("aws_lambda_function").environment).to.not.have.nested.property(
      "variables.LAKE_BUCKET",
    );
  });

  it("projects the partitions of a table that has the files' columns", () => {
    const table = stack.resource("aws_glue_catalog_table");
    expect(table.parameters).to.deep.include({
      "projection.enabled": "true",
      "projection.day.type": "date",
      "projection.day.format": "yyyy-MM-dd",
      "projection.day.range": "2000-01-01,NOW",
      "storage.location.template": `s3://${BUCKET}/lake/clickstream_events/day=$$\{day}`,
    });
    expect(table.partition_keys).to.deep.equal([{ name: "day", type: "date", comment: "The UTC day" }]);
    const { columns } = table.storage_descriptor as { columns: { name: string; type: string }[] };
    expect(columns.map(({ name }) => name)).to.deep.equal(LAKE_COLUMNS.map(({ name }) => name));
    expect(columns).to.deep.include.members([
      { name: "event_id", type: "string" },
      { name: "event_timestamp", type: "timestamp" },
      { name: "is_first_visit", type: "boolean" },
      { name: "context_product_price", type: "decimal(18,4)" },
    ]);
  });

  it("bounds what a query reads, and encrypts what it answers, whatever the client asks for", () => {
    const [configuration] = [stack.resource("aws_athena_workgroup").configuration as Attributes];
    expect(configuration).to.deep.include({
      enforce_workgroup_configuration: true,
      bytes_scanned_cutoff_per_query: 5 * 1024 ** 3,
    });
    expect(configuration.result_configuration).to.deep.include({
      encryption_configuration: { encryption_option: "SSE_S3" },
    });
  });

  it("saves the dashboard's questions", () => {
    const saved = stack
      .resources("aws_athena_named_query")
      .map(([, { name, query }]) => ({ name, sql: query }));
    expect(saved).to.have.deep.members(SAVED_QUERIES.map(({ name, sql }) => ({ name, sql })));
  });

  it("looks the bucket up by a name that says what to do", () => {
    expect(stack.json.data?.aws_s3_bucket?.the_lakeBucket_has_to_exist).to.include({ bucket: BUCKET });
  });

  it("lets function and endpoint write its files and no others", () => {
    const expected = {
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
      Resource: [`arn:aws:s3:::${BUCKET}/lake/*`],
    };
    const role = scheduler.resource("aws_iam_role_policy", "etl_role_policy").policy;
    expect(statement(role, "WriteLake")).to.deep.include(expected);
    expect(statement(endpoints.resource("aws_vpc_endpoint", "s3").policy, "WriteLake")).to.deep.include(
      expected,
    );
    expect(scheduler.resource("aws_lambda_function").environment).to.have.nested.property(
      "variables.LAKE_BUCKET",
      BUCKET,
    );
  });

  it("lets an analyst query through the workgroup, and read nothing but the table's files and the answers", () => {
    const { policy } = stack.resource("aws_iam_policy");
    const account = ref("data.aws_caller_identity.account.account_id");
    expect(statement(policy, "Query")?.Resource).to.deep.equal([
      `arn:aws:athena:ap-southeast-1:${account}:workgroup/clickstream-production-lake`,
    ]);
    expect(statement(policy, "ReadFiles")?.Resource).to.deep.equal([
      `arn:aws:s3:::${BUCKET}/lake/clickstream_events/*`,
    ]);
  });
});
