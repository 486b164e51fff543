import { Command } from "commander";
import { reportFailure, UsageError } from "./shared/failure.js";
import { tolerateClosedPipes } from "./shared/output.js";
import { versionText } from "./shared/version.js";

interface Entry {
  readonly name: string;
  readonly description: string;
  /** Loaded when the command is the one that was asked for, so that none waits for what another needs. */
  load(): Promise<{ define(command: Command): unknown }>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: "run",
    description: "Load what is new (the default command).",
    load: () => import("./etl/run.js"),
  },
  {
    name: "verify",
    description: "Compare source, ledger, table and rollups by hour; exit 1 when there is a gap.",
    load: () => import("./etl/verify.js"),
  },
  {
    name: "status",
    description: "How things stand: freshness, what waits, quarantine, the last runs.",
    load: () => import("./etl/status.js"),
  },
  {
    name: "runs",
    description: "What the runs did: a list, or one in full.",
    load: () => import("./etl/runs.js"),
  },
  {
    name: "rejects",
    description: "Look at quarantine, read its objects again, or resolve it.",
    load: () => import("./etl/rejects.js"),
  },
  {
    name: "rollups",
    description: "Look after the tables the dashboard reads.",
    load: () => import("./etl/rollups.js"),
  },
  {
    name: "prune",
    description: "Remove the events of old days; their rollups stay.",
    load: () => import("./etl/prune.js"),
  },
  {
    name: "lake",
    description: "Write closed days as Parquet files, into a folder or a bucket.",
    load: () => import("./lake/command.js"),
  },
  {
    name: "query",
    description: "Ask the lake in SQL: Athena where it is deployed, DuckDB over a folder.",
    load: () => import("./query/command.js"),
  },
  {
    name: "erase",
    description: "Forget a person, for good.",
    load: () => import("./etl/erase.js"),
  },
  {
    name: "migrate",
    description: "Apply the migrations that are not applied yet.",
    load: () => import("./etl/migrate.js"),
  },
  {
    name: "sample",
    description: "Make realistic raw events: the same options make the same bytes.",
    load: () => import("./sample/command.js"),
  },
  {
    name: "psql",
    description: "Open psql on the target database; takes psql's own arguments.",
    load: () => import("./psql/command.js"),
  },
  {
    name: "dashboard",
    description: "Run the dashboard on the target database, until Ctrl-C.",
    load: () => import("./dashboard/command.js"),
  },
  {
    name: "plan",
    description: "Plan all stacks in the order of their dependencies, as a report for a pull request.",
    load: () => import("./plan/command.js"),
  },
  {
    name: "cost",
    description: "Estimate what the deployed stacks cost a month.",
    load: () => import("./cost/command.js"),
  },
  {
    name: "diff",
    description: "Show what Terraform would do, stack by stack.",
    load: () => import("./diff/command.js"),
  },
  {
    name: "deploy",
    description: "Make or change all stacks, or those that are named.",
    load: () => import("./deploy/command.js"),
  },
  {
    name: "destroy",
    description: "Take everything down; refused while data is protected.",
    load: () => import("./destroy/command.js"),
  },
  {
    name: "doctor",
    description: "Check from outside that a deployed environment keeps its promises. Changes nothing.",
    load: () => import("./doctor/command.js"),
  },
  {
    name: "tunnel",
    description:
      "Open the dashboard, or PostgreSQL, of the deployed warehouse on this machine, until Ctrl-C.",
    load: () => import("./tunnel/command.js"),
  },
  {
    name: "backfill",
    description: "Load a window of the past with the deployed state machine, hours side by side.",
    load: () => import("./backfill/command.js"),
  },
];

const HELP = `
Called as \`npm run etl:local -- [command] [options]\`; \`npm run --silent …\` keeps npm's own lines out of --json.
Target database: DWH_* from the environment or .env, else the Postgres of docker-compose.yml when it answers, else
an embedded PostgreSQL under .local/.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejects (run --strict), 130 interrupted.`;

const DEFAULT = "run";

/** The arguments with the command in front; without one, the options are those of `run`. */
function withCommand(args: readonly string[]): readonly string[] {
  const [first = ""] = args;
  if (/^(--help|-h|--version)$/.test(first)) return args;
  if (first === "help") return [...args.slice(1), "--help"];
  if (first === "--verbose") return [...withCommand(args.slice(1)), first];
  return first === "" || first.startsWith("-") ? [DEFAULT, ...args] : args;
}

async function createProgram(asked: string | undefined): Promise<Command> {
  const program = new Command("clickstream")
    .description(
      "Loads raw clickstream events into PostgreSQL, and looks after what was loaded and deployed.",
    )
    .version(versionText(), "--version", "print the version")
    .addHelpText("after", HELP)
    .enablePositionalOptions();
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description);
    if (name === asked) (await load()).define(command);
  }
  for (const command of withDescendants(program))
    command
      .exitOverride()
      .option("--verbose", "show stack traces")
      .hook("preAction", (_, action) => refuseSwallowed(action, process.env));
  return program;
}

const withDescendants = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap((each) => withDescendants(each)),
];

/** npm takes options that stand before its `--` for its own, and hands them on by environment alone. */
function refuseSwallowed(command: Command, env: NodeJS.ProcessEnv): void {
  const { npm_lifecycle_event: script, npm_lifecycle_script: line = "" } = env;
  if (!line.includes("bin/clickstream.js")) return;
  const names = command.options.map(({ long }) => long ?? "").filter((long) => long !== "--verbose");
  const swallowed = names.find((long) => env[`npm_config_${long.slice(2).replaceAll("-", "_")}`]);
  if (swallowed === undefined) return;
  throw new UsageError(
    `npm consumed ${swallowed} as an option of its own, and nothing was done: put -- before the options, as in npm run ${script} -- ${swallowed}.`,
  );
}

async function main(given: readonly string[]): Promise<void> {
  const args = withCommand(given);
  const [asked] = args;
  try {
    await (await createProgram(asked)).parseAsync(args, { from: "user" });
  } catch (error) {
    const [verbose, json] = [args.includes("--verbose"), args.includes("--json")];
    process.exitCode = reportFailure(error, { command: `${asked}`, verbose, json });
  }
}

tolerateClosedPipes();
// It would say in eight lines, ahead of anything else, what `--version` and `doctor` say in one.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
await main(process.argv.slice(2));
// Whatever still retries in the background, nobody waits for it.
setTimeout(() => process.exit(), 1000).unref();
