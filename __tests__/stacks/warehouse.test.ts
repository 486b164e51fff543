import { createHash } from "node:crypto";
import { expect } from "chai";
import { crossStackRef, ref, type SynthesizedStack, synthesize } from "../../testing/terraform/synth.js";

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: before it is encoded in base64. */
const USER_DATA_LIMIT = 16 * 1024;
const WEB = { webDb: true, webDbAllowedCidrs: ["203.0.113.0/24"] };

/** What a role may do, as `action resource`, and what it is denied. */
function grants(stack: SynthesizedStack, id: string) {
  const { Statement } = JSON.parse(stack.resource("aws_iam_role_policy", id).policy as string);
  const pairs = (effect: string, key: "Resource" | "NotResource") =>
    Statement.filter((statement: Record<string, string>) => statement.Effect === effect).flatMap(
      (statement: Record<string, string[]>) =>
        statement.Action?.flatMap((action) =>
          (statement[key] ?? []).map((resource) => `${action} ${resource}`),
        ),
    );
  return {
    allowed: pairs("Allow", "Resource") as string[],
    deniedElsewhere: pairs("Deny", "NotResource") as string[],
  };
}

const parameter = (name: string) => ref(`aws_ssm_parameter.${name}.arn`);
const BUCKET = `arn:aws:s3:::clickstream-production-artifacts-${ref("data.aws_caller_identity.account.account_id")}`;

describe("warehouse stack", () => {
  const { warehouse } = synthesize();

  it("puts the host in the private subnet, at an address that its successor gets too", () => {
    expect(warehouse.resource("aws_instance")).to.deep.include({
      tags: { Name: "SBW_EC2_ShinyDWH" },
      subnet_id: crossStackRef("network", "aws_subnet_private_subnet_id"),
      vpc_security_group_ids: [
        crossStackRef("network", "aws_security_group_connectivity_warehouse_group_id"),
      ],
      private_ip: "10.0.128.10",
      root_block_device: { volume_type: "gp3", volume_size: 16, encrypted: true },
    });
  });

  it("starts from the newest Amazon Linux 2023, and does not replace the host when a newer one appears", () => {
    expect(warehouse.json.data?.aws_ssm_parameter?.dwh_image?.name).to.equal(
      "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    );
    expect(warehouse.resource("aws_instance")).to.deep.include({
      ami: ref("data.aws_ssm_parameter.dwh_image.insecure_value"),
      lifecycle: { ignore_changes: ["ami"] },
    });
  });

  it("keeps the data on a gp3 volume of its own, with a snapshot a day", () => {
    const volume = warehouse.resource("aws_ebs_volume");
    expect(volume).to.include({ type: "gp3", size: 50, encrypted: true });
    expect(warehouse.resource("aws_volume_attachment")).to.include({
      device_name: "/dev/sdf",
      stop_instance_before_detaching: true,
    });
    const details = warehouse.resource("aws_dlm_lifecycle_policy").policy_details as Record<string, unknown>;
    expect(volume.tags).to.include(details.target_tags as Record<string, string>);
    expect(details).to.deep.include({
      resource_types: ["VOLUME"],
      schedule: [
        {
          name: "daily",
          create_rule: { interval: 24, interval_unit: "HOURS", times: ["19:00"] },
          retain_rule: { count: 7 },
          copy_tags: true,
        },
      ],
    });
  });

  it("copies the snapshots to another region when asked to", () => {
    const rule = (context: object) =>
      JSON.stringify(
        synthesize({ ...context }).warehouse.resource("aws_dlm_lifecycle_policy").policy_details,
      );
    expect(rule({})).to.not.include("cross_region_copy_rule");
    expect(rule({ snapshotCopyRegion: "ap-southeast-3", snapshotRetentionDays: 9 })).to.include(
      '"cross_region_copy_rule":[{"copy_tags":true,"encrypted":true,"retain_rule":{"interval":9,"interval_unit":"DAYS"},"target":"ap-southeast-3"}]',
    );
  });

  it("forwards fixed ports, and records a shell's sessions in the artifacts bucket", () => {
    const content = (kind: string) =>
      JSON.parse(warehouse.resource("aws_ssm_document", `access_${kind}`).content as string);
    expect(content("dashboard")).to.deep.nested.include({
      sessionType: "Port",
      "properties.portNumber": "3838",
    });
    expect(content("psql")).to.deep.nested.include({ sessionType: "Port", "properties.portNumber": "5432" });
    expect(Object.keys(content("psql").parameters)).to.deep.equal(["localPortNumber"]);
    expect(content("shell")).to.deep.nested.include({
      sessionType: "Standard_Stream",
      "inputs.s3BucketName": BUCKET.replace("arn:aws:s3:::", ""),
      "inputs.s3KeyPrefix": "sessions",
      "inputs.s3EncryptionEnabled": true,
    });
  });

  it("recovers the host by itself when the hardware under it fails", () => {
    expect(warehouse.resource("aws_cloudwatch_metric_alarm")).to.deep.include({
      namespace: "AWS/EC2",
      metric_name: "StatusCheckFailed_System",
      dimensions: { InstanceId: ref("aws_instance.dwh_instance.id") },
      alarm_actions: ["arn:aws:automate:ap-southeast-1:ec2:recover"],
    });
  });

  it("lets the host read its own parameters and objects, write its certificate, dumps, journal and recorded sessions, and no more", () => {
    const passwords = ["owner", "etl_writer", "dashboard_reader", "analyst"].map(
      (role) => `dwh_secrets_${role}_password`,
    );
    const own = [...passwords, "dwh_secrets_certificate"].map(parameter);
    const { allowed, deniedElsewhere } = grants(warehouse, "dwh_profile_policy");
    expect(allowed).to.deep.equal([
      ...own.map((arn) => `ssm:GetParameter ${arn}`),
      ...own.map((arn) => `ssm:GetParameters ${arn}`),
      `ssm:PutParameter ${parameter("dwh_secrets_certificate")}`,
      `s3:GetObject ${BUCKET}/host/*`,
      `s3:GetObject ${BUCKET}/migrations/*`,
      `s3:GetObject ${BUCKET}/dashboard/*`,
      `s3:GetObject ${BUCKET}/backups/dwh/*`,
      `s3:PutObject ${BUCKET}/backups/dwh/*`,
      `s3:PutObject ${BUCKET}/journals/dwh/*`,
      `s3:PutObject ${BUCKET}/sessions/*`,
      `s3:AbortMultipartUpload ${BUCKET}/backups/dwh/*`,
      `s3:AbortMultipartUpload ${BUCKET}/journals/dwh/*`,
      `s3:AbortMultipartUpload ${BUCKET}/sessions/*`,
      `s3:GetEncryptionConfiguration ${BUCKET}`,
      `s3:ListBucket ${BUCKET}`,
    ]);
    for (const action of ["GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"])
      expect(deniedElsewhere).to.include.members(own.map((arn) => `ssm:${action} ${arn}`));
  });

  it("makes each password once a version, and rotates them all with passwordVersion", () => {
    const versions = (stack: SynthesizedStack) =>
      stack
        .resources("aws_ssm_parameter")
        .filter(([, { type }]) => type === "SecureString")
        .map(([, { name, value_wo_version }]) => [name, value_wo_version]);
    const names = ["analyst", "dashboard-reader", "etl-writer", "owner"].map(
      (role) => `/clickstream/production/dwh/${role}-password`,
    );
    expect(versions(warehouse)).to.deep.equal(names.map((name) => [name, 1]));
    expect(versions(synthesize({ passwordVersion: 2 }).warehouse)).to.deep.equal(
      names.map((name) => [name, 2]),
    );
  });

  it("leaves the certificate's value to the host that publishes it", () => {
    expect(warehouse.resource("aws_ssm_parameter", "dwh_secrets_certificate")).to.deep.include({
      name: "/clickstream/production/dwh/certificate",
      type: "String",
      lifecycle: { ignore_changes: ["insecure_value"] },
    });
  });

  it("passes a first boot that fits the user data, and no bytes that depend on who compresses them", () => {
    for (const [id, instance] of synthesize(WEB).warehouse.resources("aws_instance")) {
      expect(Buffer.byteLength(instance.user_data as string), id).to.be.lessThan(USER_DATA_LIMIT);
      expect(instance, id).to.not.have.property("user_data_base64");
    }
  });

  it("uploads the host's files and every migration before the host starts", () => {
    const uploads = warehouse.resources("aws_s3_object");
    expect(uploads.map(([, { key }]) => key)).to.include.members([
      "host/files.sh",
      "migrations/0001_events.sql",
      "migrations/0002_bookkeeping.sql",
      "migrations/0003_roles.sql",
    ]);
    const needed = warehouse.resource("aws_instance").depends_on;
    expect(needed).to.include.members(uploads.map(([id]) => `aws_s3_object.${id}`));
  });

  it("says in an output that there is no dashboard bundle, and uploads the one that there is", () => {
    const output = ({ json }: SynthesizedStack) =>
      (json.output as { dashboard: { value: string } }).dashboard.value;
    expect(output(warehouse)).to.equal(
      "no dashboard bundle: run npm run dashboard:bundle, then deploy again",
    );
    const sha256 = createHash("sha256").update("bundle").digest("hex");
    const names = ["dashboard-runtime.tar.zst", "dashboard-runtime.tar.zst.sha256"];
    const files = names.map((name) => ({ name, path: `/elsewhere/${name}` }));
    const withBundle = synthesize({}, { dashboard: { files, sha256 } }).warehouse;
    expect(output(withBundle)).to.equal(`dashboard bundle sha256 ${sha256}`);
    for (const name of names) {
      const id = `uploads_${name.replaceAll(".", "_")}`;
      expect(withBundle.resource("aws_s3_object", id)).to.include({
        key: `dashboard/${name}`,
        source_hash: sha256,
      });
      expect(withBundle.resource("aws_s3_object", id).source).to.match(/^\.\.\/.*\/elsewhere\//);
    }
  });

  it("prints the commands that open the dashboard and the database", () => {
    const outputs = warehouse.json.output as Record<string, { value: string }>;
    const target = ref("aws_instance.dwh_instance.id");
    const tunnel = (kind: string, port: number) =>
      `aws ssm start-session --region ap-southeast-1 --target ${target} --document-name clickstream-production-${kind} --parameters localPortNumber=${port}`;
    expect(outputs.instance_id?.value).to.equal(target);
    expect(outputs.dashboard_tunnel_command?.value).to.equal(tunnel("dashboard", 3838));
    expect(outputs.psql_tunnel_command?.value).to.equal(tunnel("psql", 15432));
    expect(outputs.psql_command?.value)
      .to.match(/hostaddr=127\.0\.0\.1 port=15432 dbname=clickstream_dw user=analyst sslmode=verify-full/)
      .and.not.include("\n");
  });

  describe("with webDb", () => {
    const withWebDb = synthesize(WEB).warehouse;

    it("makes the OLTP host in the public subnet, at an address that stays", () => {
      expect(withWebDb.resource("aws_instance", "webdb_instance")).to.deep.include({
        tags: { Name: "SBW_EC2_WebDB" },
        subnet_id: crossStackRef("network", "aws_subnet_public_subnet_id"),
        vpc_security_group_ids: [crossStackRef("network", "aws_security_group_connectivity_web_db_group_id")],
        associate_public_ip_address: true,
      });
      expect(withWebDb.resource("aws_eip_association").instance_id).to.equal(
        ref("aws_instance.webdb_instance.id"),
      );
    });

    it("makes its database for its own clients and from its own parameters", () => {
      const script = withWebDb.resource("aws_instance", "webdb_instance").user_data;
      for (const line of [
        "DATABASE='clickstream_web'",
        "ROLE_SET='web'",
        "PARAMETER_PREFIX='/clickstream/production/webdb'",
        "CLIENT_CIDRS='203.0.113.0/24'",
        `ADDRESS='${ref("aws_eip.webdb_address.public_ip")}'`,
        "BACKUPS_PREFIX='backups/webdb/'",
      ])
        expect(script).to.include(`\n${line}\n`);
    });

    it("gives neither host the other's parameters or dumps", () => {
      const web = grants(withWebDb, "webdb_profile_policy").allowed.join("\n");
      const dwh = grants(withWebDb, "dwh_profile_policy").allowed.join("\n");
      expect(web).to.not.match(/dwh|migrations|dashboard/);
      expect(dwh).to.not.match(/webdb/);
    });
  });
});
