import type { Command } from "commander";
import { runHere, synthesizeNamed } from "../plan/terraform.js";

export const define = (command: Command): Command =>
  command
    .argument("[stacks...]", "some of network, endpoints, warehouse, scheduler (default: all)")
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .action(diff);

/** One after the other, for cdktf takes one at a time. The first that fails ends it. */
async function diff(given: readonly string[], { output }: { output: string }): Promise<void> {
  for (const { name } of await synthesizeNamed(given, output)) {
    process.exitCode = await runHere("cdktf", ["diff", name, "--skip-synth", "--output", output], ".");
    if (process.exitCode !== 0) return;
  }
}
