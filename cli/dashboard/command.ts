import type { Command } from "commander";
import { migrate } from "etl-lib";
import type pg from "pg";
import { choosePort } from "../../connect/local-port.js";
import { PORTS } from "../../stacks/names.js";
import { IS_CHECKOUT } from "../shared/project.js";
import { openTarget } from "../shared/target.js";
import { launchDashboard } from "./launch.js";
import { findRuntime } from "./runtime.js";

const READER = "dashboard_reader";

export const define = (command: Command): Command => command.action(serve);

async function serve(): Promise<void> {
  // The installed package brings what is built here, and not what builds it.
  if (IS_CHECKOUT) (await import("../../dashboard/assets.js")).buildAssets();
  const runtime = findRuntime();
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  });
  const target = await openTarget({ applicationName: "dashboard", poolSize: 1 });
  try {
    await migrate(target.pool);
    const port = await choosePort(Number(process.env.DASHBOARD_PORT ?? PORTS.shiny));
    const role = (await mayReadAs(target.pool)) ? { role: READER } : {};
    console.log(`Target: ${target.description}`);
    console.log(`Starting ${runtime.description} …`);
    const { connection } = target;
    const dashboard = await launchDashboard({ runtime, connection, port, ...role, onLog: showProblem });
    console.log(`\n  ${dashboard.url}\n\nCtrl-C stops it.`);
    await Promise.race([stopped, dashboard.ended]);
    await dashboard.stop();
  } finally {
    await target.close();
  }
}

/** Elsewhere than on the warehouse host the database's own user takes the reader's role, so that rights are alike. */
async function mayReadAs(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query("SELECT pg_has_role(current_user, $1, 'MEMBER') AS may", [READER]);
  return rows[0].may;
}

function showProblem(line: string): void {
  if (line.startsWith("dashboard:")) console.error(line);
}
