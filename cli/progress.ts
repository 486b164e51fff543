import { Presets, SingleBar } from "cli-progress";
import type { RunProgress } from "etl-lib";
import { count, duration } from "./format.js";

/** Shows a run on stderr: a bar on a terminal, a line every few seconds elsewhere, nothing when quiet. */
export interface ProgressView {
  update(progress: RunProgress): void;
  stop(): void;
}

const LINE_EVERY_MS = 5000;
const FORMAT = " {bar} {percentage}% │ {objects} objects │ {events} events │ {rate}/s │ {left}";

export function progressView(quiet: boolean): ProgressView {
  if (quiet) return { update() {}, stop() {} };
  return process.stderr.isTTY ? barView() : lineView();
}

function barView(): ProgressView {
  const bar = new SingleBar(
    { format: FORMAT, hideCursor: true, stream: process.stderr, fps: 8 },
    Presets.rect,
  );
  let started = false;
  return {
    update(progress) {
      const { total, done, text } = measure(progress);
      if (!started) bar.start(total, done, text);
      started = true;
      bar.setTotal(total);
      bar.update(done, text);
    },
    stop: () => bar.stop(),
  };
}

function lineView(): ProgressView {
  let last = 0;
  return {
    update(progress) {
      if (progress.elapsedMs - last < LINE_EVERY_MS) return;
      last = progress.elapsedMs;
      const { text } = measure(progress);
      console.error(`${text.objects} objects, ${text.events} events, ${text.rate} events/s, ${text.left}`);
    },
    stop() {},
  };
}

/** Bytes measure the work: objects differ in size, and events are known only when read. */
function measure({ objects, events, bytes, isListed, elapsedMs }: RunProgress) {
  const seconds = elapsedMs / 1000;
  const left = bytes.loaded > 0 ? ((bytes.listed - bytes.loaded) / bytes.loaded) * elapsedMs : null;
  const toLoad = objects.listed - objects.alreadyLoaded;
  return {
    total: Math.max(bytes.listed, 1),
    done: bytes.loaded,
    text: {
      objects: `${count(objects.loaded)}/${count(toLoad)}${isListed ? "" : "+"}`,
      events: count(events.read),
      rate: count(seconds > 0 ? events.read / seconds : 0),
      left: isListed && left !== null ? `${duration(left)} left` : "listing",
    },
  };
}
