import { expect } from "chai";
import {
  type Attributes,
  ref,
  type Stacks,
  type SynthesizedStack,
  synthesize,
} from "../../testing/terraform/synth.js";

const CLIENT = "203.0.113.0/24";

/** Every switch of the configuration, on and off: a guarantee holds in all of them. */
const VARIANTS: { readonly [name: string]: Attributes } = {
  "the defaults": {},
  "everything switched on": {
    webDb: true,
    webDbAllowedCidrs: [CLIENT],
    createRawBucket: true,
    rawExpirationDays: 365,
    tracing: true,
    lake: true,
    lakeBucket: "years-of-the-shop",
    alarmEmail: "data@example.com",
    kmsKeyArn: "arn:aws:kms:ap-southeast-1:111122223333:key/0f1e2d3c",
    snapshotCopyRegion: "ap-southeast-3",
    detailedMonitoring: true,
    stateBucket: "states-of-the-shop",
  },
  "everything switched off": { protectData: false, ec2MessagesEndpoint: false, stateBucket: null },
};

/** Allowed `*` resources, by statement: AWS knows nothing narrower for their actions. */
const WILDCARD_RESOURCES: { readonly [sid: string]: string } = {
  SeeNetworkInterfaces: "ec2:Describe* calls support no resource-level permission",
  DeliverLogs: "log deliveries support no resource-level permission",
  FindTheHost: "Describe* calls support no resource-level permission",
  See: "Describe* and CloudWatch's Get* calls support no resource-level permission",
  UseSystemsManager: "an endpoint's policy only narrows what the callers' own policies allow",
  WriteTraces: "xray:Put* calls support no resource-level permission",
};

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: string[];
  readonly Resource?: string[];
  readonly Condition?: unknown;
}

/** Every policy document of a stack: roles, buckets, endpoints. */
function statements(stack: SynthesizedStack): Statement[] {
  return stack
    .allResources()
    .flatMap(({ attributes }) => [attributes.policy, attributes.assume_role_policy])
    .filter((document) => typeof document === "string")
    .flatMap((document) => (JSON.parse(document) as { Statement: Statement[] }).Statement);
}

for (const [variant, context] of Object.entries(VARIANTS)) {
  describe(`guarantees with ${variant}`, () => {
    let stacks: Stacks;
    let all: SynthesizedStack[];
    before(() => {
      stacks = synthesize(context);
      all = Object.values(stacks);
    });

    const every = (type: string) => all.flatMap((stack) => stack.resources(type));

    it("there is no NAT gateway, and no other gateway than the one of the public subnet", () => {
      const types = all.flatMap((stack) => stack.allResources().map(({ type }) => type));
      const gateways = types.filter((type) => type.includes("gateway"));
      expect(gateways).to.deep.equal(["aws_internet_gateway"]);
      expect(types).to.not.include("aws_vpc_peering_connection");
      expect(types).to.not.include("aws_networkmanager_core_network");
    });

    it("there is no way out of the private subnet: its route table has no route but the S3 endpoint's", () => {
      expect(every("aws_route").map(([, { route_table_id }]) => route_table_id)).to.deep.equal([
        ref("aws_route_table.public_route_table.id"),
      ]);
      for (const [, table] of every("aws_route_table")) expect(table).to.not.have.property("route");
      const association = stacks.network.resource(
        "aws_route_table_association",
        "private_route_table_association",
      );
      expect(association).to.include({
        subnet_id: ref("aws_subnet.private_subnet.id"),
        route_table_id: ref("aws_route_table.private_route_table.id"),
      });
      const gatewayEndpoints = every("aws_vpc_endpoint").filter(
        ([, { vpc_endpoint_type }]) => vpc_endpoint_type === "Gateway",
      );
      expect(gatewayEndpoints.map(([id]) => id)).to.deep.equal(["s3"]);
      expect(stacks.endpoints.resource("aws_vpc_endpoint", "s3").route_table_ids).to.satisfy(
        (ids: string[]) => ids.length === 1 && ids[0]?.includes("private_route_table_id"),
      );
    });

    it("nothing in the private subnet has a public address, and no host has a key pair", () => {
      for (const [, subnet] of every("aws_subnet")) expect(subnet.map_public_ip_on_launch).to.equal(false);
      const instances = every("aws_instance");
      expect(instances).to.not.have.length(0);
      for (const [, instance] of instances) {
        expect(instance).to.not.have.any.keys("key_name", "ipv6_address_count", "ipv6_addresses");
        const isPrivate = String(instance.subnet_id).includes("private_subnet");
        expect(instance.associate_public_ip_address).to.equal(isPrivate ? undefined : true);
      }
      expect(every("aws_key_pair")).to.deep.equal([]);
      for (const [, association] of every("aws_eip_association"))
        expect(association.instance_id).to.equal(ref("aws_instance.webdb_instance.id"));
    });

    it("nothing is open to 0.0.0.0/0, and no group has an inline rule", () => {
      const peers = [
        ...every("aws_vpc_security_group_ingress_rule"),
        ...every("aws_vpc_security_group_egress_rule"),
      ];
      for (const [id, rule] of peers) {
        expect(rule, id).to.not.have.property("cidr_ipv6");
        expect(rule.cidr_ipv4, id).to.be.oneOf([undefined, CLIENT]);
        expect(rule.ip_protocol, id).to.equal("tcp");
        expect(rule.from_port, id).to.equal(rule.to_port);
      }
      for (const [, group] of [...every("aws_security_group"), ...every("aws_default_security_group")])
        expect(group).to.not.have.any.keys("ingress", "egress");
      expect(every("aws_security_group_rule")).to.deep.equal([]);
    });

    it("every volume, bucket and queue is encrypted", () => {
      for (const [id, volume] of every("aws_ebs_volume")) expect(volume.encrypted, id).to.equal(true);
      for (const [id, instance] of every("aws_instance"))
        expect(instance.root_block_device, id).to.have.property("encrypted", true);
      for (const [id, queue] of every("aws_sqs_queue"))
        expect(queue.sqs_managed_sse_enabled ?? queue.kms_master_key_id, id).to.be.oneOf([
          true,
          context.kmsKeyArn,
        ]);
      expect(bucketsWith("aws_s3_bucket_server_side_encryption_configuration")).to.deep.equal(buckets());
    });

    it("a customer key, when there is one, encrypts all that can be", () => {
      const key = context.kmsKeyArn;
      for (const [id, volume] of every("aws_ebs_volume")) expect(volume.kms_key_id, id).to.equal(key);
      for (const [id, group] of every("aws_cloudwatch_log_group")) expect(group.kms_key_id, id).to.equal(key);
      for (const [id, topic] of every("aws_sns_topic")) expect(topic.kms_master_key_id, id).to.equal(key);
      for (const [id, parameter] of every("aws_ssm_parameter"))
        if (parameter.type === "SecureString") expect(parameter.key_id, id).to.equal(key);
      for (const [id, rule] of every("aws_s3_bucket_server_side_encryption_configuration")) {
        const expected = key === undefined || id.startsWith("access_logs") ? "AES256" : "aws:kms";
        expect(JSON.stringify(rule), id).to.include(`"sse_algorithm":"${expected}"`);
      }
      const users = all.flatMap(statements).filter(({ Sid }) => Sid === "UseCustomerKey");
      const people = context.lake ? 2 : 1; // an operator; an analyst of the lake
      const programs = every("aws_instance").length + 2; // the function; the machine that reads and writes lists
      expect(users).to.have.length(key === undefined ? 0 : programs + people);
    });

    it("every access to a bucket is logged, and the logs end", () => {
      const logged = bucketsWith("aws_s3_bucket_logging");
      expect(logged).to.deep.equal(buckets().filter((bucket) => !bucket.includes("access_logs")));
      for (const [id, { rule }] of every("aws_s3_bucket_lifecycle_configuration"))
        if (id.startsWith("access_logs")) expect(JSON.stringify(rule)).to.include('"days":30');
    });

    it("a subnet has a list of its own, which is open to the VPC and to answers alone; the default list is closed", () => {
      expect(stacks.network.resource("aws_default_network_acl")).to.not.have.any.keys("ingress", "egress");
      const lists = every("aws_network_acl");
      expect(lists.map(([, { subnet_ids }]) => subnet_ids)).to.deep.equal([
        [ref("aws_subnet.private_subnet.id")],
        [ref("aws_subnet.public_subnet.id")],
      ]);
      for (const [id, list] of lists) {
        const fromAnywhere = (list.ingress as Attributes[]).filter((rule) => rule.cidr_block === "0.0.0.0/0");
        for (const { from_port, to_port } of fromAnywhere) {
          expect(from_port, id).to.be.at.least(1024);
          expect(Number(from_port) > 3389 || Number(to_port) < 3389, id).to.equal(true);
        }
        if (id === "acl_public" && !context.webDb) expect(fromAnywhere).to.deep.equal([]);
      }
    });

    it("no host can be terminated while its data is protected", () => {
      for (const [, instance] of every("aws_instance"))
        expect(instance).to.include({
          disable_api_termination: context.protectData !== false,
          ebs_optimized: true,
          monitoring: context.detailedMonitoring === true,
        });
    });

    it("nobody but an operator gets a shell, and nobody a session without a document that the policy names", () => {
      const policies = stacks.warehouse.resources("aws_iam_policy");
      const documents = (kinds: string[]) => kinds.map((kind) => ref(`aws_ssm_document.access_${kind}.arn`));
      const allowedTo = {
        access_analyst: ["dashboard", "psql"],
        access_operator: ["dashboard", "psql", "shell"],
      };
      expect(policies.map(([id]) => id)).to.deep.equal(Object.keys(allowedTo));
      for (const [id, { policy }] of policies) {
        const kinds = allowedTo[id as keyof typeof allowedTo];
        const starts = JSON.parse(policy as string).Statement.filter((statement: Statement) =>
          statement.Action.includes("ssm:StartSession"),
        );
        expect(starts).to.deep.equal([
          {
            Sid: "StartSessions",
            Effect: "Allow",
            Action: ["ssm:StartSession"],
            Resource: [ref("aws_instance.dwh_instance.arn"), ...documents(kinds)],
            Condition: { BoolIfExists: { "ssm:SessionDocumentAccessCheck": "true" } },
          },
        ]);
      }
    });

    it("every bucket that is made is private, versioned and reached over TLS only", () => {
      expect(bucketsWith("aws_s3_bucket_public_access_block")).to.deep.equal(buckets());
      for (const [, block] of every("aws_s3_bucket_public_access_block"))
        expect(block).to.include({
          block_public_acls: true,
          block_public_policy: true,
          ignore_public_acls: true,
          restrict_public_buckets: true,
        });
      expect(bucketsWith("aws_s3_bucket_versioning")).to.deep.equal(buckets());
      expect(bucketsWith("aws_s3_bucket_policy")).to.deep.equal(buckets());
      for (const [, { policy }] of every("aws_s3_bucket_policy"))
        expect(JSON.parse(policy as string).Statement[0]).to.deep.include({
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:*"],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        });
    });

    it("every host answers metadata requests of version 2 only, one hop away", () => {
      for (const [, instance] of every("aws_instance"))
        expect(instance.metadata_options).to.deep.equal({
          http_endpoint: "enabled",
          http_tokens: "required",
          http_put_response_hop_limit: 1,
        });
    });

    it("no policy allows a * action, and a * resource only where AWS knows nothing narrower", () => {
      const allowed = all.flatMap(statements).filter(({ Effect }) => Effect === "Allow");
      expect(allowed).to.not.have.length(0);
      for (const { Sid, Action, Resource } of allowed) {
        for (const action of Action) expect(action, Sid).to.match(/^[a-z0-9]+:[A-Za-z]+$/);
        if (Resource?.includes("*")) expect(WILDCARD_RESOURCES, Sid).to.have.property(Sid ?? "");
      }
    });

    it("the two managed policies are Session Manager's and the snapshots', nothing wider", () => {
      const attached = every("aws_iam_role_policy_attachment").map(([, { policy_arn }]) => policy_arn);
      expect([...new Set(attached)].sort()).to.deep.equal([
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole",
      ]);
    });

    it("every log group has a retention", () => {
      const groups = every("aws_cloudwatch_log_group");
      expect(groups).to.have.length(3);
      for (const [, group] of groups) expect(group.retention_in_days).to.equal(30);
    });

    it("no secret stands in the JSON, in user data or in the function's environment", () => {
      for (const [id, parameter] of every("aws_ssm_parameter")) {
        if (parameter.type !== "SecureString") continue;
        expect(parameter, id).to.not.have.any.keys("value", "insecure_value");
        expect(parameter.value_wo, id).to.match(
          /^\$\{ephemeral\.aws_secretsmanager_random_password\.\w+\.random_password}$/,
        );
      }
      const readers = all.map(({ json }) => JSON.stringify({ ...json, ephemeral: null }));
      const uses = readers.join("").match(/ephemeral\.aws_secretsmanager_random_password/g) ?? [];
      const passwords = every("aws_ssm_parameter").filter(([, { type }]) => type === "SecureString");
      expect(uses, "an ephemeral password goes to its parameter alone").to.have.length(passwords.length);
      const { variables } = stacks.scheduler.resource("aws_lambda_function").environment as {
        variables: object;
      };
      expect(variables).to.not.have.any.keys("DWH_PASSWORD", "PGPASSWORD");
    });

    it("the function reserves no concurrency and sets no key that Lambda reserves", () => {
      const etl = stacks.scheduler.resource("aws_lambda_function");
      expect(etl).to.not.have.property("reserved_concurrent_executions");
      const { variables } = etl.environment as { variables: object };
      for (const name of Object.keys(variables))
        expect(name).to.not.match(/^(_|AWS_|LAMBDA_|LD_LIBRARY_PATH$|TZ$)/);
    });

    it("data is protected unless protectData is false, and then nothing is left behind", () => {
      const keep = context.protectData !== false;
      for (const [, bucket] of every("aws_s3_bucket")) {
        expect(bucket.lifecycle).to.deep.equal({ prevent_destroy: keep });
        expect(bucket.force_destroy).to.equal(!keep);
      }
      for (const [, volume] of every("aws_ebs_volume"))
        expect(volume.lifecycle).to.deep.equal({ prevent_destroy: keep });
      expect(stacks.scheduler.resource("terraform_data").lifecycle).to.deep.equal({ prevent_destroy: keep });
    });

    it("every stack is tagged, pinned to the tested versions, and keeps its own state", () => {
      for (const { name, json } of all) {
        const provider = (json.provider as { aws: Attributes[] }).aws[0];
        expect(provider?.default_tags).to.deep.equal([
          { tags: { Project: "clickstream", Environment: "production", ManagedBy: "cdktf", Stack: name } },
        ]);
        const terraform = json.terraform as {
          required_version: string;
          required_providers: { aws: Attributes };
        };
        expect(terraform.required_version).to.equal("~> 1.11.0");
        expect(terraform.required_providers.aws.version).to.equal("5.100.0");
        const local = { local: { path: `../../../terraform.production.${name}.tfstate` } };
        const remote = {
          s3: {
            bucket: context.stateBucket ?? "clickstream-production-terraform-state",
            key: `clickstream/production/${name}.tfstate`,
            region: "ap-southeast-1",
            encrypt: true,
            use_lockfile: true,
          },
        };
        expect((json.terraform as Attributes).backend).to.deep.equal(
          context.stateBucket === null ? local : remote,
        );
      }
    });

    const buckets = () => every("aws_s3_bucket").map(([id]) => `\${aws_s3_bucket.${id}.id}`);
    const bucketsWith = (type: string) => every(type).map(([, { bucket }]) => bucket);
  });
}
