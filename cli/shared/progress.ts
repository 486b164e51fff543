import { Presets, SingleBar } from "cli-progress";
import { duration } from "./format.js";

/** How far a command has come. */
export interface Progress {
  /** In whatever measures the work best; null while it is not known yet. */
  readonly total: number | null;
  readonly done: number;
  /** Beside the bar, in this order: e.g. "12/40 objects", "3,000 events". */
  readonly parts: readonly string[];
}

/** Shows progress on stderr: a bar on a terminal, a line now and then elsewhere. */
export interface ProgressView {
  update(progress: Progress): void;
  stop(): void;
}

export interface ProgressOptions {
  /** Shows nothing at all. @default false */
  readonly quiet?: boolean;
  /** Between two lines where there is no terminal. @default 5 s */
  readonly lineEveryMs?: number;
}

const WIDEST_BAR = 40;
const NARROWEST_BAR = 8;

export function progressView({ quiet = false, lineEveryMs = 5000 }: ProgressOptions = {}): ProgressView {
  if (quiet) return { update() {}, stop() {} };
  return process.stderr.isTTY ? barView() : lineView(lineEveryMs);
}

function barView(): ProgressView {
  const bar = new SingleBar(
    { format: drawn, hideCursor: true, stream: process.stderr, fps: 8 },
    Presets.rect,
  );
  const left = timeLeft();
  let started = false;
  process.once("exit", () => bar.stop()); // gives the cursor back, however the command ends
  return {
    update(progress) {
      const { total, done, parts } = progress;
      const text = [...parts, left(progress)].join(" │ ");
      if (!started) bar.start(total ?? 1, 0, { text, isTotalKnown: total !== null });
      started = true;
      bar.setTotal(Math.max(total ?? 1, 1));
      bar.update(total === null ? 0 : done, { text, isTotalKnown: total !== null });
    },
    stop: () => bar.stop(),
  };
}

/** The bar gives way to the text, so that all of it stands in the line at 80 columns. */
function drawn(
  _options: unknown,
  { progress }: { progress: number },
  { text, isTotalKnown }: { text: string; isTotalKnown: boolean },
): string {
  const percent = isTotalKnown ? `${Math.floor(progress * 100)}%`.padStart(4) : "   –";
  const room = (process.stderr.columns ?? 80) - text.length - percent.length - 6;
  const width = Math.min(WIDEST_BAR, room);
  const full = Math.round(progress * width);
  const bar = width < NARROWEST_BAR ? "" : ` ${"■".repeat(full)}${"□".repeat(width - full)}`;
  return `${bar}${percent} │ ${text}`;
}

function lineView(everyMs: number): ProgressView {
  const left = timeLeft();
  let last = performance.now();
  return {
    update(progress) {
      const remaining = left(progress);
      if (performance.now() - last < everyMs) return;
      last = performance.now();
      console.error([...progress.parts, remaining].join(", "));
    },
    stop() {},
  };
}

/** By what was done since the first update: the rest of a command that goes on began further along. */
function timeLeft(): (progress: Progress) => string {
  let first: { readonly done: number; readonly at: number } | null = null;
  return ({ total, done }) => {
    first ??= { done, at: performance.now() };
    if (total === null) return "listing";
    const since = done - first.done;
    if (since <= 0) return "starting";
    return `${duration(((total - done) / since) * (performance.now() - first.at))} left`;
  };
}
