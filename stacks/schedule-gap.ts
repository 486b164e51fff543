const UNIT_HOURS: Readonly<Record<string, number>> = { minute: 1 / 60, hour: 1, day: 24 };

/**
 * The longest time between two runs of an EventBridge schedule, in hours: of a cron expression by its hours and minutes,
 * Infinity where it does not run every day; null when the expression cannot be read.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function longestGapHours(expression: string): number | null {
  const [, amount, unit] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (unit !== undefined) return Number(amount) * (UNIT_HOURS[unit] as number);
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) return null;
  const [minute = "", hour = "", ...days] = fields;
  const [minutes, hours] = [valuesOf(minute, 59), valuesOf(hour, 23)];
  if (minutes === null || hours === null) return null;
  if (!days.every((field) => field === "*" || field === "?")) return Number.POSITIVE_INFINITY;
  const times = hours.flatMap((h) => minutes.map((m) => h + m / 60));
  const next = [...times.slice(1), (times[0] as number) + 24];
  return Math.max(...times.map((time, index) => (next[index] as number) - time));
}

/** The values of a cron field, ascending: `*`, `5`, `1-4`, `0/15`, `1-9/2` and lists of them. */
function valuesOf(field: string, max: number): number[] | null {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [, from, to, step] = /^(\*|\d+)(?:-(\d+))?(?:\/([1-9]\d*))?$/.exec(part) ?? [];
    if (from === undefined) return null;
    const first = from === "*" ? 0 : Number(from);
    const last = to !== undefined ? Number(to) : from === "*" || step !== undefined ? max : first;
    if (first > last || last > max) return null;
    for (let value = first; value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return [...values].sort((one, other) => one - other);
}
