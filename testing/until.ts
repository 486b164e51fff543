import { setTimeout as sleep } from "node:timers/promises";

/** Asks until it is so, with pauses that leave the machine to what is waited for. */
export async function until(what: string, isSo: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await isSo()); await sleep(10))
    if (Date.now() > end) throw new Error(`After ${timeoutMs} ms it is still not so that ${what}.`);
}
