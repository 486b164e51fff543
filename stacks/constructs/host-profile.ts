import { IamInstanceProfile } from "@cdktf/provider-aws/lib/iam-instance-profile/index.js";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role/index.js";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy/index.js";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { ARTIFACTS, artifactsBucketName } from "../names.js";
import { useCustomerKey } from "./customer-key.js";
import type { DatabaseSecrets } from "./database-secrets.js";
import { allow, policy, type Statement, trust } from "./policy.js";

const SSM_MANAGED_POLICY = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

export interface HostProfileProps {
  readonly hostName: string;
  readonly secrets: DatabaseSecrets;
  /** Folders of the artifacts bucket that the host reads, beside its own files. */
  readonly reads: readonly string[];
  /** Folder of the artifacts bucket that its dumps go to, and come back from on a restore. */
  readonly backups: string;
  /** Folder of the artifacts bucket that its journal goes to. */
  readonly journals: string;
}

/** What a PostgreSQL host may do: be managed by Systems Manager, and use its own parameters and objects. */
export class HostProfile extends Construct {
  readonly name: string;
  /** What has to be there before the host first asks for anything. */
  readonly grants: ITerraformDependable[];

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: HostProfileProps,
  ) {
    super(stack, id);
    const role = this.createRole();
    this.grants = [this.attachSessionManager(role), this.createPolicy(role)];
    this.name = new IamInstanceProfile(this, "profile", { name: props.hostName, role: role.name }).name;
  }

  private createRole(): IamRole {
    const assumeRolePolicy = trust("ec2.amazonaws.com");
    return new IamRole(this, "role", { name: `${this.props.hostName}-host`, assumeRolePolicy });
  }

  private attachSessionManager(role: IamRole): IamRolePolicyAttachment {
    const attachment = { role: role.name, policyArn: SSM_MANAGED_POLICY };
    return new IamRolePolicyAttachment(this, "session_manager", attachment);
  }

  private createPolicy(role: IamRole): IamRolePolicy {
    return new IamRolePolicy(this, "policy", {
      name: "own-parameters-and-objects",
      role: role.id,
      policy: policy(
        ...this.parameterStatements(),
        ...this.objectStatements(),
        ...useCustomerKey(this.stack),
      ),
    });
  }

  /** The managed policy above reads every parameter of the account; the denial leaves the host its own. */
  private parameterStatements(): Statement[] {
    const { secrets } = this.props;
    const own = [...secrets.parameters, secrets.certificate].map(({ arn }) => arn);
    return [
      allow("ReadOwnParameters", ["ssm:GetParameter", "ssm:GetParameters"], own),
      allow("PublishCertificate", ["ssm:PutParameter"], [secrets.certificate.arn]),
      {
        Sid: "NoOtherParameters",
        Effect: "Deny",
        Action: [
          "ssm:GetParameter",
          "ssm:GetParameters",
          "ssm:GetParametersByPath",
          "ssm:GetParameterHistory",
        ],
        NotResource: own,
      },
    ];
  }

  private objectStatements(): Statement[] {
    const bucket = `arn:aws:s3:::${artifactsBucketName(this.stack.config, this.stack.accountId)}`;
    const { reads, backups, journals } = this.props;
    const folders = [ARTIFACTS.host, ...reads, backups].map((folder) => `${folder}/*`);
    const objects = folders.map((folder) => `${bucket}/${folder}`);
    return [
      allow("ReadArtifacts", ["s3:GetObject"], objects),
      allow(
        "WriteBackupsAndRecords",
        ["s3:PutObject", "s3:AbortMultipartUpload"],
        [backups, journals, ARTIFACTS.sessions].map((folder) => `${bucket}/${folder}/*`),
      ),
      // The agent records a session only where it sees that the bucket is encrypted.
      allow("SeeEncryption", ["s3:GetEncryptionConfiguration"], [bucket]),
      {
        ...allow("ListArtifacts", ["s3:ListBucket"], [bucket]),
        Condition: { StringLike: { "s3:prefix": folders } },
      },
    ];
  }
}
