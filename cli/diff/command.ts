import type { Command } from "commander";
import { runHere, synthesize } from "../plan/terraform.js";
import { UsageError } from "../shared/failure.js";

export const define = (command: Command): Command =>
  command
    .argument("[stacks...]", "some of network, endpoints, warehouse, scheduler (default: all)")
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .action(diff);

/** One after the other, for cdktf takes one at a time. The first that fails ends it. */
async function diff(given: readonly string[], { output }: { output: string }): Promise<void> {
  const names = (await synthesize(output)).map(({ name }) => name);
  const unknown = given.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`There is no stack ${unknown.join(", ")}: the stacks are ${names.join(", ")}.`);
  for (const name of names.filter((each) => given.length === 0 || given.includes(each))) {
    process.exitCode = await runHere("cdktf", ["diff", name, "--skip-synth", "--output", output], ".");
    if (process.exitCode !== 0) return;
  }
}
