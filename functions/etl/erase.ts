import {
  type ErasureReport,
  erasePerson,
  type LakeStore,
  type Person,
  PlanError,
  type WarehousePool,
} from "etl-lib";
import { type Copy, copiesLeft } from "../../connect/copies.js";
import type { Env } from "../../connect/environment.js";

export interface EraseRequest {
  readonly person: Person;
  readonly dryRun: boolean;
}

export type ErasureAnswer = ErasureReport & { readonly notReached: readonly Copy[] };

const FORM =
  '"erase" has to be {"userId": "…"} or {"clientId": "…"}, and "dryRun" beside it true or false: nothing was erased.';

/**
 * `{"erase": {"userId": "…"}}` or `{"erase": {"clientId": "…"}}`, with `"dryRun": true` if nothing is to be changed.
 * @returns null: the event asks for something else
 * @throws {PlanError} never naming the id
 */
export function parseErasure(event: unknown): EraseRequest | null {
  if (typeof event !== "object" || event === null || !("erase" in event)) return null;
  const { erase, dryRun = false, ...others } = event as Record<string, unknown>;
  const entries = typeof erase === "object" && erase !== null ? Object.entries(erase) : [];
  const [key, id] = entries[0] ?? [];
  const isPerson = entries.length === 1 && (key === "userId" || key === "clientId") && typeof id === "string";
  if (!isPerson || typeof dryRun !== "boolean" || Object.keys(others).length > 0)
    throw new PlanError("fatal", FORM);
  return { person: { kind: key === "userId" ? "user_id" : "client_id", id }, dryRun };
}

export async function eraseFromHere(
  pool: WarehousePool,
  { person, dryRun }: EraseRequest,
  options: { readonly lake: LakeStore | null; readonly endsAt: number; readonly env: Env },
): Promise<ErasureAnswer> {
  const { lake, endsAt, env } = options;
  const remainingMs = () => endsAt - Date.now();
  const report = await erasePerson(pool, person, {
    dryRun,
    lake,
    isTimeUp: () => remainingMs() <= 0,
    refresh: { remainingMs },
  });
  return { ...report, notReached: copiesLeft(env, report.days) };
}
