import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import type { AwsEnvironment } from "./environment.js";

/**
 * Credentials come from the SDK's default chain; an endpoint of an emulator is addressed path style. Without the
 * timeouts a listing that is never answered would take all of the function's time: the SDK has none of its own.
 */
export function createS3Client(aws: AwsEnvironment): S3Client {
  return new S3Client({
    region: aws.region,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
    ...(aws.s3Endpoint === null ? {} : { endpoint: aws.s3Endpoint, forcePathStyle: true }),
  });
}

/**
 * Retries are the SDK's own (exponential, with jitter). The short timeouts matter in the private subnet: without
 * the `ssm` endpoint a connection is not refused, it hangs.
 */
export function createSsmClient(aws: AwsEnvironment): SSMClient {
  return new SSMClient({
    region: aws.region,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
    ...(aws.endpoint === null ? {} : { endpoint: aws.endpoint }),
  });
}
