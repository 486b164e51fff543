import { DataAwsS3Bucket } from "@cdktf/provider-aws/lib/data-aws-s3-bucket/index.js";
import type { S3BucketLifecycleConfigurationRule } from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js";
import type { BaseStack } from "../base-stack.js";
import { accessLogsBucketName } from "../names.js";
import { HardenedBucket } from "./hardened-bucket.js";

/**
 * Terraform lets nobody put words to a data source that finds nothing, but its error does name the data source.
 */
const LOOKUP_ID = "the_raw_bucket_has_to_exist_or_set_createRawBucket_to_true";

/** The ARN of the bucket with the raw events: looked up, or made with `createRawBucket`. */
export function rawBucketArn(stack: BaseStack): string {
  const { rawBucket, createRawBucket } = stack.config;
  if (!createRawBucket) return new DataAwsS3Bucket(stack, LOOKUP_ID, { bucket: rawBucket }).arn;
  const made = new HardenedBucket(stack, "raw", {
    name: rawBucket,
    accessLogs: accessLogsBucketName(stack.config, stack.accountId),
    lifecycleRules: lifecycleRules(stack),
  });
  return made.bucket.arn;
}

function lifecycleRules({ config }: BaseStack): S3BucketLifecycleConfigurationRule[] {
  const { rawInfrequentAccessDays, rawExpirationDays } = config;
  const events = { status: "Enabled", filter: [{ prefix: "events/" }] };
  const transition = [{ days: rawInfrequentAccessDays, storageClass: "STANDARD_IA" }];
  const cheaper = { ...events, id: "infrequent-access", transition };
  const expire = { ...events, id: "expire", expiration: [{ days: rawExpirationDays }] };
  return rawExpirationDays > 0 ? [cheaper, expire] : [cheaper];
}
