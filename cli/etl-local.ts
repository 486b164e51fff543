import { Command } from "commander";
import { migrateCommand } from "./commands/migrate.js";
import { rejectsCommand } from "./commands/rejects.js";
import { rollupsCommand } from "./commands/rollups.js";
import { runCommand } from "./commands/run.js";
import { sampleCommand } from "./commands/sample.js";
import { statusCommand } from "./commands/status.js";
import { verifyCommand } from "./commands/verify.js";
import { reportFailure } from "./exit.js";
import { loadDotEnv } from "./shared/project.js";

const program = new Command("etl:local")
  .description("Loads raw clickstream events into PostgreSQL and looks after what was loaded.")
  .option("--verbose", "show stack traces")
  .exitOverride()
  .addCommand(runCommand(), { isDefault: true })
  .addCommand(verifyCommand())
  .addCommand(rejectsCommand())
  .addCommand(statusCommand())
  .addCommand(rollupsCommand())
  .addCommand(migrateCommand())
  .addCommand(sampleCommand())
  .addHelpText(
    "after",
    `
Called as \`npm run etl:local -- [command] [options]\`; \`npm run --silent …\` keeps npm's own lines out of --json.
Target database: DWH_* from the environment or .env, else the Postgres of docker-compose.yml when it answers, else
an embedded PostgreSQL under .local/.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejects (run --strict).`,
  );

// A sub-command that is added keeps its own settings, and they must not end the process either.
for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.exitOverride();

loadDotEnv();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--verbose"));
}
// Whatever still retries in the background, nobody waits for it.
setTimeout(() => process.exit(), 1000).unref();
