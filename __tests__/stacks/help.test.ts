import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const read = (file: string) => readFileSync(join(REPOSITORY, file), "utf8");

describe("help", () => {
  it("lists every command that exists, and none that does not", () => {
    const listed = [...read("help").matchAll(/^ {4}npm (?:run )?(\S+)/gm)].map(([, name]) => name);
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    expect(listed).to.have.members(Object.keys(scripts));
  });

  it("says one sentence of each, in a column", () => {
    const lines = read("help")
      .split("\n")
      .filter((line) => line.startsWith("    npm "));
    for (const line of lines) expect(line).to.match(/^ {4}npm .{28} *[A-Z].+[^.]$/);
    const columns = new Set(lines.map((line) => line.search(/(?<= {2})[A-Z]/)));
    expect([...columns]).to.have.length(1);
  });
});
