import { assertSchema, migrate } from "etl-lib";
import { Interrupted, listenForInterruption } from "./interruption.js";
import { environment } from "./project.js";
import { namesDatabase, openTarget, type Target } from "./target.js";

export interface WarehouseOptions {
  /** Says nothing. @default false */
  readonly quiet?: boolean | undefined;
  /** So long may the work go on after Ctrl-C, to end in order by itself. @default 0 */
  readonly graceMs?: number;
}

/** @param signal aborted by Ctrl-C and by SIGTERM */
export type Work<T> = (target: Target, signal: AbortSignal) => Promise<T>;

/**
 * Opens the database in force, says which it is, and closes it whatever happens.
 *
 * @throws {Interrupted} after Ctrl-C, unless the work ends by itself in time
 */
export async function withTarget<T>(
  { quiet = false, graceMs = 0 }: WarehouseOptions,
  work: Work<T>,
): Promise<T> {
  const interruption = listenForInterruption(graceMs);
  const opening = openTarget();
  try {
    const target = await Promise.race([opening, interruption.overdue]);
    if (!quiet) console.error(`Target: ${target.description}`);
    return await Promise.race([work(target, interruption.signal), interruption.overdue]);
  } catch (error) {
    if (error instanceof Interrupted && !quiet) console.error(error.message);
    throw error;
  } finally {
    interruption.forget();
    await opening.then((target) => target.close()).catch(() => undefined);
  }
}

/** As `withTarget`, with the schema up to date. */
export const withWarehouse = <T>(options: WarehouseOptions, work: Work<T>): Promise<T> =>
  withTarget(options, async (target, signal) => {
    await migrate(target.pool);
    return work(target, signal);
  });

/**
 * As `withWarehouse`, for what only reads. A database that the settings name is somebody's warehouse: it is looked at as it
 * is, by a role that need not be its owner, and never migrated.
 */
export const withReadableWarehouse = <T>(options: WarehouseOptions, work: Work<T>): Promise<T> =>
  withTarget(options, async (target, signal) => {
    await (namesDatabase(environment()) ? assertSchema(target.pool) : migrate(target.pool));
    return work(target, signal);
  });
