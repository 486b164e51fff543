import type { Env } from "../../connect/environment.js";
import type { Config } from "../../stacks/config.js";
import { CommandError } from "../shared/failure.js";
import { WORK_FOLDER } from "../shared/project.js";
import { type Clients, createClients } from "./clients.js";
import { readConfig } from "./config.js";
import { type Outputs, readOutputs, type StackName } from "./state.js";

/** One deployed environment: its configuration, the outputs of its stacks, and AWS itself. */
export interface Deployed {
  readonly config: Config;
  readonly clients: Clients;
  /** @throws {CommandError} the stack is not deployed, or not with this output */
  output(stack: StackName, name: string): Promise<string>;
  /** Id of the account that it is deployed to. @throws {CommandError} as `output` */
  accountId(): Promise<string>;
}

/** @throws {ConfigError} the configuration of the work tree breaks a rule */
export function openDeployed(output: string, env: Env, given?: Clients): Deployed {
  const config = readConfig(WORK_FOLDER, env);
  const clients = given ?? createClients(config.region, env);
  const read = new Map<StackName, Promise<Outputs>>();
  const outputsOf = (stack: StackName): Promise<Outputs> => {
    const outputs = read.get(stack) ?? readOutputs({ config, output, s3: clients.s3 }, stack);
    read.set(stack, outputs);
    return outputs;
  };
  const outputOf = async (stack: StackName, name: string) => pick(await outputsOf(stack), stack, name);
  return {
    config,
    clients,
    output: outputOf,
    accountId: async () => (await outputOf("scheduler", "alarm_topic_arn")).split(":")[4] ?? "",
  };
}

function pick(outputs: Outputs, stack: StackName, name: string): string {
  const value = outputs.get(name);
  if (typeof value === "string") return value;
  throw new CommandError(
    `The stack ${stack} has no output ${name}: its last deploy did not finish, or it was destroyed. Deploy it again.`,
  );
}
