import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { synthesize } from "../../testing/terraform/synth.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const FOLDER = join(REPOSITORY, "__tests__/stacks/snapshots");
/** Set by `npm run snapshots` alone: a test run never changes what it compares with. */
const REWRITE = process.env.REWRITE_SNAPSHOTS === "1";

/** As Terraform reads it, less what only says how it was made: sorted, without hashes, a script line by line. */
function toSnapshot(json: object): string {
  return `${JSON.stringify(json, (key, value) => (key === "//" ? undefined : tidy(key, value)), 2)}\n`;
}

function tidy(key: string, value: unknown): unknown {
  if (typeof value === "string") {
    if (value.includes("\n")) return value.split("\n").map((line) => withoutHashes(key, line));
    return withoutHashes(key, value);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const byKey = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);
  return Object.fromEntries(Object.entries(value).sort(byKey));
}

function withoutHashes(key: string, text: string): string {
  if (key.endsWith("_hash")) return "<hash>";
  return text.replaceAll(/\/[0-9A-F]{32}\//g, "/<hash>/").replaceAll(/\b[0-9a-f]{64}\b/g, "<hash>");
}

/** Where two texts part, or nothing: enough for a message; `npm run snapshots` and git show the rest. */
function firstDifference(committed: string, now: string): string {
  if (committed === now) return "";
  const [before, after] = [committed.split("\n"), now.split("\n")];
  const common = before.findIndex((line, index) => line !== after[index]);
  const at = common < 0 ? before.length : common;
  return `line ${at + 1}: committed ${before[at] ?? "ends"}, now ${after[at] ?? "ends"}`;
}

describe("snapshots: what a pull request changes of the infrastructure", () => {
  const { lake } = synthesize({ lake: true });
  const stacks = { ...synthesize(), ...(lake && { lake }) };

  for (const [name, { json }] of Object.entries(stacks)) {
    it(`${name} is as committed (after a wanted change: npm run snapshots)`, () => {
      const path = join(FOLDER, `${name}.json`);
      const snapshot = toSnapshot(json);
      if (REWRITE) {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(path, snapshot);
      }
      expect(existsSync(path), `${path} is not there`).to.equal(true);
      expect(firstDifference(readFileSync(path, "utf8"), snapshot)).to.equal("");
    });
  }

  it("hold no path of a machine and no hash", () => {
    for (const { json } of Object.values(stacks)) {
      const snapshot = toSnapshot(json);
      expect(snapshot).to.not.include(REPOSITORY);
      expect(snapshot).to.not.match(/\b[0-9A-F]{32}\b|\b[0-9a-f]{64}\b/);
    }
  });
});
