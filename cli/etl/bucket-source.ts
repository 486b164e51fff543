import type { Source } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { createS3Client } from "../../connect/clients.js";
import { type Env, readAwsEnvironment } from "../../connect/environment.js";

/** A bucket, with the credentials and endpoints of the environment. */
export function bucketSource(bucket: string, connections: number, env: Env): Source {
  // The AWS CLI's own default key counts too; an emulator does not care.
  const AWS_REGION = env.AWS_REGION || env.AWS_DEFAULT_REGION || "ap-southeast-1";
  const client = createS3Client(readAwsEnvironment({ ...env, AWS_REGION }));
  return s3Source({ client, bucket, connections });
}
