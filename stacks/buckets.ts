import type { BaseStack } from "./base-stack.js";

/** The artifacts bucket: migrations, the dashboard's bundle and the nightly dumps. Bucket names are global. */
export function artifactsBucketName(stack: BaseStack): string {
  const { artifactsBucket, project, environment } = stack.config;
  return artifactsBucket ?? `${project}-${environment}-artifacts-${stack.accountId}`;
}

/** Folders of the artifacts bucket. */
export const ARTIFACTS = { migrations: "migrations", dashboard: "dashboard", backups: "backups" } as const;

/** Amazon Linux 2023's package repositories lie in this bucket of Amazon's, read without a signature. */
export function packageBucketName(region: string): string {
  return `al2023-repos-${region}-de612dc2`;
}
