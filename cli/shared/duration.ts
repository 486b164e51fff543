import { UsageError } from "./failure.js";

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a length of time such as `90s`, `5m`, `48h`, `7d`. @throws {UsageError} naming the option */
export function parseDuration(text: string, option: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (!amount || !unit || Number(amount) === 0)
    throw new UsageError(`${option} must be a length of time such as 90s, 5m, 48h or 7d, not "${text}".`);
  return Number(amount) * (UNITS[unit] as number);
}
