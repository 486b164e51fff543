import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drawTerminal } from "./terminal-svg.js";

// `npm run recording`: records the picture of README again. What it shows is what the first command of a clone prints into a
// terminal of 80 columns, recorded by script(1) of util-linux.
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PICTURE = join(ROOT, "docs/images/first-run.svg");
const COMMAND = "npm run --silent etl:local";
const COLUMNS = 80;

const folder = mkdtempSync(join(tmpdir(), "recording-"));
try {
  execFileSync(process.execPath, ["bin/build.js"], { cwd: ROOT });
  for (const part of ["bin", "dist", "samples", "package.json"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const [output, timing] = ["output", "timing"].map((name) => join(folder, name)) as [string, string];
  const recorded = `stty cols ${COLUMNS} rows 60 && ${COMMAND}`;
  spawnSync("script", ["-qefc", recorded, "-O", output, "-T", timing, "--logging-format", "classic"], {
    cwd: folder,
    env: { ...process.env, TERM: "xterm-256color", SHELL: "/bin/sh" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(
    PICTURE,
    drawTerminal(chunksOf(output, timing), { command: "npm run etl:local", columns: COLUMNS }),
  );
  console.log(PICTURE);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What was printed and when, in seconds: a line of the timing says how long nothing came and how many bytes then did. */
function chunksOf(output: string, timing: string): { at: number; text: string }[] {
  const bytes = readFileSync(output);
  let from = bytes.indexOf("\n") + 1; // the first line is script's own
  let at = 0;
  const decoder = new TextDecoder();
  return readFileSync(timing, "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [pause, length] = line.split(" ").map(Number) as [number, number];
      at += pause;
      const text = decoder.decode(bytes.subarray(from, from + length), { stream: true });
      from += length;
      return { at, text };
    });
}
