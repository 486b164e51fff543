import { ListBucketsCommand } from "@aws-sdk/client-s3";
import type { Env } from "../../connect/environment.js";
import { loadConfig } from "../../stacks/config.js";
import { createClients } from "../deployed/clients.js";
import { readConfig } from "../deployed/config.js";
import { CommandError } from "../shared/failure.js";
import { PROJECT_ROOT } from "../shared/project.js";

/**
 * The default name of the state's bucket can be guessed by anyone, and bucket names are global: before Terraform trusts
 * it, it has to be one of this account's own. A bucket that the configuration names is somebody's choice.
 *
 * @throws {CommandError} this account has no such bucket
 */
export async function assertStateBucket(env: Env): Promise<void> {
  const { region, project, environment, stateBucket } = readConfig(PROJECT_ROOT, env);
  if (stateBucket === null || stateBucket !== loadConfig({ project, environment }).stateBucket) return;
  const { Buckets } = await createClients(region, env).s3.send(
    new ListBucketsCommand({ Prefix: stateBucket }),
  );
  if (Buckets?.some(({ Name }) => Name === stateBucket)) return;
  throw new CommandError(
    `This account has no bucket ${stateBucket} for the Terraform state: make it (docs/runbook.md, "First deploy"), or name another in stateBucket.`,
  );
}
