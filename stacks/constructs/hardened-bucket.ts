import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket/index.js";
import {
  S3BucketLifecycleConfiguration,
  type S3BucketLifecycleConfigurationRule,
} from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js";
import { S3BucketLoggingA } from "@cdktf/provider-aws/lib/s3-bucket-logging/index.js";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy/index.js";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { policy, type Statement } from "./policy.js";

/** Days that a replaced or deleted version stays to be taken back. */
const NONCURRENT_DAYS = 30;
const ABANDONED_UPLOAD_DAYS = 7;

export interface HardenedBucketProps {
  readonly name: string;
  /** Name of the bucket that its access logs go to; null for that bucket itself. */
  readonly accessLogs: string | null;
  /** Statements of its policy beside the one that demands TLS. @default none */
  readonly policyStatements?: readonly Statement[];
  /** Rules beside the one that ends abandoned uploads and old versions. */
  readonly lifecycleRules: readonly S3BucketLifecycleConfigurationRule[];
}

/** A bucket that is private, encrypted, versioned, reached over TLS only and, with `protectData`, not destroyed. */
export class HardenedBucket extends Construct {
  readonly bucket: S3Bucket;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: HardenedBucketProps,
  ) {
    super(stack, id);
    this.bucket = this.createBucket(stack.config.protectData);
    this.createEncryption();
    this.createVersioning();
    this.createLifecycle();
    this.createLogging();
    this.createTlsOnlyPolicy(this.closeToThePublic());
  }

  private createBucket(protect: boolean): S3Bucket {
    return new S3Bucket(this, "bucket", {
      bucket: this.props.name,
      forceDestroy: !protect,
      lifecycle: { preventDestroy: protect },
    });
  }

  private closeToThePublic(): S3BucketPublicAccessBlock {
    new S3BucketOwnershipControls(this, "ownership", {
      bucket: this.bucket.id,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    return new S3BucketPublicAccessBlock(this, "public_access", {
      bucket: this.bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
  }

  private createEncryption(): void {
    new S3BucketServerSideEncryptionConfigurationA(this, "encryption", {
      bucket: this.bucket.id,
      rule: [this.encryptionRule()],
    });
  }

  /** Access logs can be delivered to a bucket under S3's own keys alone. */
  private encryptionRule() {
    const { kmsKeyArn } = this.stack.config;
    if (kmsKeyArn === null || this.props.accessLogs === null)
      return { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } };
    const byKey = { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKeyArn };
    return { applyServerSideEncryptionByDefault: byKey, bucketKeyEnabled: true };
  }

  private createLogging(): void {
    const { accessLogs, name } = this.props;
    if (accessLogs === null) return;
    new S3BucketLoggingA(this, "logging", {
      bucket: this.bucket.id,
      targetBucket: accessLogs,
      targetPrefix: `${name}/`,
    });
  }

  private createVersioning(): void {
    const versioningConfiguration = { status: "Enabled" };
    new S3BucketVersioningA(this, "versioning", { bucket: this.bucket.id, versioningConfiguration });
  }

  private createLifecycle(): void {
    const housekeeping: S3BucketLifecycleConfigurationRule = {
      id: "housekeeping",
      status: "Enabled",
      filter: [{ prefix: "" }],
      abortIncompleteMultipartUpload: [{ daysAfterInitiation: ABANDONED_UPLOAD_DAYS }],
      noncurrentVersionExpiration: [{ noncurrentDays: NONCURRENT_DAYS }],
    };
    const rule = [housekeeping, ...this.props.lifecycleRules];
    new S3BucketLifecycleConfiguration(this, "lifecycle", { bucket: this.bucket.id, rule });
  }

  /** After the public access block: AWS refuses two changes of a bucket's access at once. */
  private createTlsOnlyPolicy(after: S3BucketPublicAccessBlock): void {
    new S3BucketPolicy(this, "tls_only", {
      bucket: this.bucket.id,
      policy: policy(
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:*"],
          Resource: [this.bucket.arn, `${this.bucket.arn}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
        ...(this.props.policyStatements ?? []),
      ),
      dependsOn: [after],
    });
  }
}
