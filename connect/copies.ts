import type { Env } from "./environment.js";

/** A copy of a person's data that an erasure does not reach, when it is gone by itself, and how to remove it at once. */
export interface Copy {
  readonly what: string;
  readonly expires: string;
  readonly command: string;
}

/**
 * What an erasure in the warehouse leaves. The days are the configuration's, which the function has in its environment;
 * where they are not set nobody here knows them.
 * @param days UTC days of the person's events
 */
export function copiesLeft(env: Env, days: readonly string[]): Copy[] {
  const bucket = env.RAW_BUCKET || "RAW_BUCKET";
  const folder = `events/${(days[0] ?? "YYYY-MM-DD").replaceAll("-", "/")}/`;
  return [
    {
      what: "raw objects, and their older versions",
      expires: expiry(env.RAW_EXPIRATION_DAYS),
      command: `aws s3 sync s3://${bucket}/${folder} raw && grep -rlaF ID raw; then for each: aws s3 rm s3://${bucket}/KEY, or with versions: aws s3api delete-object --bucket ${bucket} --key KEY --version-id VERSION`,
    },
    {
      what: "snapshots of the data volume",
      expires: expiry(env.SNAPSHOT_RETENTION_DAYS),
      command:
        "aws ec2 describe-snapshots --owner-ids self --filters Name=tag-key,Values=DailySnapshot; aws ec2 delete-snapshot --snapshot-id SNAPSHOT",
    },
    {
      what: "nightly dumps",
      expires: expiry(env.BACKUP_RETENTION_DAYS),
      command: "aws s3 ls s3://ARTIFACTS_BUCKET/backups/; aws s3 rm s3://ARTIFACTS_BUCKET/backups/DUMP",
    },
  ];
}

function expiry(days: string | undefined): string {
  if (!days) return "not known here";
  return days === "0" ? "never by itself" : `${days} days after it was made`;
}

export const RESTORE_HINT =
  "Whoever restores a snapshot or dump made before this erasure repeats the erasure: it is not remembered there.";
