import { expect } from "chai";
import { crossStackRef, ref, synthesize } from "../../testing/terraform/synth.js";

describe("endpoints stack", () => {
  const { endpoints } = synthesize();

  it("lets S3 through to the raw events, the artifacts, Amazon Linux and the agent's updates, and to nothing more", () => {
    const { Statement } = JSON.parse(endpoints.resource("aws_vpc_endpoint", "s3").policy as string);
    const account = ref("data.aws_caller_identity.account.account_id");
    const artifacts = `arn:aws:s3:::clickstream-production-artifacts-${account}`;
    const ownAccount = { StringEquals: { "aws:PrincipalAccount": account } };
    expect(Statement).to.deep.equal([
      {
        Sid: "ReadRawEvents",
        Effect: "Allow",
        Principal: "*",
        Action: ["s3:GetObject", "s3:ListBucket"],
        Resource: ["arn:aws:s3:::clickstream-s3-ingest", "arn:aws:s3:::clickstream-s3-ingest/events/*"],
        Condition: ownAccount,
      },
      {
        Sid: "UseArtifacts",
        Effect: "Allow",
        Principal: "*",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:AbortMultipartUpload",
          "s3:ListBucket",
          "s3:GetEncryptionConfiguration",
        ],
        Resource: [artifacts, `${artifacts}/*`],
        Condition: ownAccount,
      },
      {
        Sid: "InstallPackages",
        Effect: "Allow",
        Principal: "*",
        Action: ["s3:GetObject"],
        Resource: ["arn:aws:s3:::al2023-repos-ap-southeast-1-de612dc2/*"],
      },
      {
        Sid: "UpdateAgent",
        Effect: "Allow",
        Principal: "*",
        Action: ["s3:GetObject"],
        Resource: [
          "arn:aws:s3:::amazon-ssm-ap-southeast-1/*",
          "arn:aws:s3:::amazon-ssm-packages-ap-southeast-1/*",
          "arn:aws:s3:::aws-ssm-ap-southeast-1/*",
        ],
      },
    ]);
  });

  it("puts Systems Manager's endpoints, with private names, behind their group in the private subnet", () => {
    for (const service of ["ssm", "ssmmessages", "ec2messages"]) {
      expect(endpoints.resource("aws_vpc_endpoint", service)).to.deep.include({
        service_name: `com.amazonaws.ap-southeast-1.${service}`,
        vpc_endpoint_type: "Interface",
        private_dns_enabled: true,
        subnet_ids: [crossStackRef("network", "aws_subnet_private_subnet_id")],
        security_group_ids: [crossStackRef("network", "aws_security_group_connectivity_endpoints_group_id")],
      });
    }
    expect(endpoints.resources("aws_vpc_endpoint")).to.have.length(4);
  });

  it("lets its own account alone through an interface endpoint, to the calls of that service", () => {
    for (const service of ["ssm", "ssmmessages", "ec2messages"]) {
      const { Statement } = JSON.parse(endpoints.resource("aws_vpc_endpoint", service).policy as string);
      expect(Statement).to.have.length(1);
      expect(Statement[0].Condition).to.deep.equal({
        StringEquals: { "aws:PrincipalAccount": ref("data.aws_caller_identity.account.account_id") },
      });
      for (const action of Statement[0].Action) expect(action).to.match(new RegExp(`^${service}:[A-Z]`));
    }
    const { Statement } = JSON.parse(endpoints.resource("aws_vpc_endpoint", "ssm").policy as string);
    // what the function and the host's scripts call themselves
    expect(Statement[0].Action).to.include.members([
      "ssm:GetParameter",
      "ssm:GetParameters",
      "ssm:PutParameter",
    ]);
  });

  it("leaves ec2messages out when it is switched off", () => {
    const without = synthesize({ ec2MessagesEndpoint: false }).endpoints;
    expect(without.resources("aws_vpc_endpoint").map(([id]) => id)).to.have.members([
      "s3",
      "ssm",
      "ssmmessages",
    ]);
  });
});
