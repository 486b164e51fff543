import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint/index.js";
import type { Construct } from "constructs";
import { BaseStack } from "./base-stack.js";
import type { Config } from "./config.js";
import { policy, type Statement } from "./constructs/policy.js";
import {
  ARTIFACTS,
  agentBucketNames,
  artifactsBucketName,
  endpointName,
  interfaceServices,
  LAKE_ACTIONS,
  lakeBucketName,
  packageBucketName,
} from "./names.js";
import type { NetworkStack } from "./network-stack.js";

/**
 * What goes through an interface endpoint: the calls of the Systems Manager agent, as AmazonSSMManagedInstanceCore lists
 * them, and those of the hosts and the function. Which resources, the callers' own policies say.
 */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  ssm: [
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:DescribeInstanceProperties",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:PutInventory",
    "ssm:PutParameter",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
  ],
  ssmmessages: [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
  ],
  ec2messages: [
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
  ],
};

/** The only ways from the private subnet to AWS. */
export class EndpointsStack extends BaseStack {
  constructor(
    scope: Construct,
    config: Config,
    private readonly network: NetworkStack,
  ) {
    super(scope, "endpoints", config);
    this.createS3Endpoint();
    for (const service of interfaceServices(config)) this.createInterfaceEndpoint(service);
  }

  private createS3Endpoint(): void {
    new VpcEndpoint(this, "s3", {
      vpcId: this.network.vpc.id,
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${this.config.region}.s3`,
      routeTableIds: [this.network.privateRouteTable.id],
      policy: policy(
        this.readRawEvents(),
        this.useArtifacts(),
        ...this.writeLake(),
        this.installPackages(),
        this.updateAgent(),
      ),
      tags: { Name: endpointName(this.config, "s3") },
    });
  }

  private createInterfaceEndpoint(service: string): void {
    const actions = ACTIONS[service];
    if (actions === undefined) throw new Error(`No policy is written for the endpoint of ${service}.`);
    new VpcEndpoint(this, service, {
      vpcId: this.network.vpc.id,
      vpcEndpointType: "Interface",
      serviceName: `com.amazonaws.${this.config.region}.${service}`,
      privateDnsEnabled: true,
      subnetIds: [this.network.privateSubnet.id],
      securityGroupIds: [this.network.connectivity.endpoints.id],
      policy: policy(this.ownAccountOnly("UseSystemsManager", actions, ["*"])),
      tags: { Name: endpointName(this.config, service) },
    });
  }

  private readRawEvents(): Statement {
    const bucket = `arn:aws:s3:::${this.config.rawBucket}`;
    return this.ownAccountOnly(
      "ReadRawEvents",
      ["s3:GetObject", "s3:ListBucket"],
      [bucket, `${bucket}/events/*`],
    );
  }

  private useArtifacts(): Statement {
    const bucket = `arn:aws:s3:::${artifactsBucketName(this.config, this.accountId)}`;
    const actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      "s3:ListBucket",
      "s3:GetEncryptionConfiguration",
    ];
    return this.ownAccountOnly("UseArtifacts", actions, [bucket, `${bucket}/*`]);
  }

  private writeLake(): Statement[] {
    if (!this.config.lake) return [];
    const files = `arn:aws:s3:::${lakeBucketName(this.config, this.accountId)}/${ARTIFACTS.lake}/*`;
    return [this.ownAccountOnly("WriteLake", LAKE_ACTIONS, [files])];
  }

  /** dnf sends no signature, so no condition on who asks can hold here. */
  private installPackages(): Statement {
    const bucket = `arn:aws:s3:::${packageBucketName(this.config)}`;
    return {
      Sid: "InstallPackages",
      Effect: "Allow",
      Principal: "*",
      Action: ["s3:GetObject"],
      Resource: [`${bucket}/*`],
    };
  }

  /**
   * What the Systems Manager agent needs to update itself and to run AWS's own documents.
   * https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-minimum-s3-permissions.html
   */
  private updateAgent(): Statement {
    return {
      Sid: "UpdateAgent",
      Effect: "Allow",
      Principal: "*",
      Action: ["s3:GetObject"],
      Resource: agentBucketNames(this.config).map((bucket) => `arn:aws:s3:::${bucket}/*`),
    };
  }

  /** Credentials of another account, brought in from outside, carry nothing out through the endpoint. */
  private ownAccountOnly(sid: string, actions: readonly string[], resources: readonly string[]): Statement {
    return {
      Sid: sid,
      Effect: "Allow",
      Principal: "*",
      Action: actions,
      Resource: resources,
      Condition: { StringEquals: { "aws:PrincipalAccount": this.accountId } },
    };
  }
}
