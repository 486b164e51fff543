import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Config } from "../../stacks/config.js";
import { stateFile, stateKey } from "../../stacks/names.js";
import { CommandError } from "../shared/failure.js";

/** The stacks whose outputs the commands read. */
export type StackName = "warehouse" | "scheduler" | "lake";

/** A stack's outputs by name. */
export type Outputs = ReadonlyMap<string, unknown>;

export interface StateLocation {
  readonly config: Config;
  /** Where cdktf writes what it synthesizes; a local state lies beside it. */
  readonly output: string;
  /** Reads a state that is kept in `stateBucket`. */
  readonly s3: S3Client;
}

/** Part of Terraform's state, version 4. */
interface State {
  readonly version: number;
  readonly outputs?: Readonly<Record<string, { readonly value: unknown }>>;
}

/**
 * The outputs of a deployed stack, read from its state itself: where stacks/base-stack.ts puts it, a file or an object
 * of `stateBucket`. `terraform output` reads the same document, but wants the stack synthesized and the provider
 * downloaded first.
 *
 * @throws {CommandError} there is no state, or it is of another version
 */
export async function readOutputs(location: StateLocation, stack: StackName): Promise<Outputs> {
  const text =
    location.config.stateBucket === null ? readFileOf(location, stack) : readObject(location, stack);
  const state = JSON.parse(await text) as State;
  if (state.version !== 4)
    throw new CommandError(
      `The state of the stack ${stack} has version ${state.version}; version 4 is known.`,
    );
  return new Map(Object.entries(state.outputs ?? {}).map(([name, { value }]) => [name, value]));
}

async function readFileOf({ config, output }: StateLocation, stack: StackName): Promise<string> {
  const path = join(output, "..", stateFile(config, stack));
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") throw notDeployed(config, stack, path, cause);
    throw cause;
  });
}

async function readObject({ config, s3 }: StateLocation, stack: StackName): Promise<string> {
  const Bucket = config.stateBucket as string;
  const Key = stateKey(config, stack);
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToString()) ?? "";
  } catch (cause) {
    if (cause instanceof Error && /^NoSuch(Key|Bucket)$/.test(cause.name))
      throw notDeployed(config, stack, `s3://${Bucket}/${Key}`, cause);
    throw cause;
  }
}

function notDeployed({ environment }: Config, stack: StackName, place: string, cause: Error): CommandError {
  return new CommandError(
    `The stack ${stack} of the environment ${environment} is not deployed: there is no state at ${place}. Deploy it, or run this where it was deployed from.`,
    { cause },
  );
}
