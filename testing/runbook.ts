import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./terraform/terraform.js";

/** What a section of docs/runbook.md has the reader type, a block each, in its order. */
export function runbookBlocks(section: string): string[] {
  const text = readFileSync(join(REPOSITORY, "docs/runbook.md"), "utf8");
  const body = text.split(/^## /m).find((part) => part.startsWith(`${section}\n`));
  if (body === undefined) throw new Error(`The runbook has no section ${section}.`);
  const blocks = [...body.matchAll(/(?:^ {4,}\S.*\n(?:\n(?= {4,}\S))?)+/gm)].map(([block]) =>
    block.replaceAll(/^ +/gm, ""),
  );
  return blocks.filter((block) => !/^(clickstream|ERROR|SELECT)\b/.test(block));
}
