import { migrate } from "etl-lib";
import { openTarget, type Target } from "./target.js";

/** Opens the database in force, says which it is, and closes it whatever happens. @param quiet says nothing */
export async function withTarget<T>(quiet: boolean, work: (target: Target) => Promise<T>): Promise<T> {
  const target = await openTarget();
  const stop = () => void target.close().finally(() => process.exit(130));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    if (!quiet) console.error(`Target: ${target.description}`);
    return await work(target);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await target.close();
  }
}

/** As `withTarget`, with the schema up to date. */
export const withWarehouse = <T>(quiet: boolean, work: (target: Target) => Promise<T>): Promise<T> =>
  withTarget(quiet, async (target) => {
    await migrate(target.pool);
    return work(target);
  });
