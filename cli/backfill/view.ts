import { count, duration, table, time } from "../shared/format.js";
import type { Progress } from "../shared/progress.js";
import type { BackfillState } from "./executions.js";

/** Hours measure the work. */
export const progressOf = ({ hours, done, running }: BackfillState): Progress => ({
  total: hours,
  done: Math.min(done, hours),
  parts: [`${count(done)}/${count(hours)} hours`, `${count(running)} running`],
});

const HEADLINES: { readonly [status: string]: string } = {
  RUNNING:
    "It goes on without this command: `npm run backfill -- --follow` finds it again, `--cancel` stops it.",
  SUCCEEDED: "All of it is loaded.",
  ABORTED: "It was stopped. What was loaded stays; the same command, given again, loads the rest.",
};

/** How a backfill stands, what failed, and what to do about it. */
export function reportText(state: BackfillState): string {
  const { from, to, startedAt, hours, done, failed, status, reason } = state;
  const lines = [
    table(
      ["backfill", ""],
      [
        ["window", `${time(from)} – ${time(to)}`],
        ["started", `${time(startedAt)} (${duration(Date.now() - startedAt.getTime())} ago)`],
        ["hours", `${count(Math.min(done, hours))} of ${count(hours)}`],
        ["not loaded", count(failed.length)],
      ],
    ),
    HEADLINES[status] ?? reason ?? status,
  ];
  if (failed.length > 0)
    lines.push(
      ...failed.map(({ hour, why }) => `✘ ${hour}: ${why}`),
      "More stands in the function's log of that time. The same command, given again, loads what is not loaded.",
    );
  return lines.join("\n");
}
