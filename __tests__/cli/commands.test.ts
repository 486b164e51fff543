import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const help = (...args: string[]): string =>
  execFileSync(process.execPath, ["bin/clickstream.js", ...args, "--help"], { cwd: ROOT, encoding: "utf8" });
/** The names that begin a line of one of the help's lists. */
const listed = (text: string, list: string): string[] => {
  const [, part = ""] = text.split(`${list}:\n`);
  return [...(part.split("\n\n")[0] ?? "").matchAll(/^ {2}(?:-\w, )?(\S+)/gm)].map(([, name = ""]) => name);
};

describe("docs/commands.md", () => {
  const page = readFileSync(`${ROOT}docs/commands.md`, "utf8");
  const documented = (name: string): boolean => new RegExp(`\`(run )?${name}[ \`]`).test(page);
  const commands = listed(help(), "Commands").filter((name) => name !== "help");

  it("names every command, in a table of what each does", () => {
    expect(commands).to.include.members(["run", "verify", "status", "doctor", "dashboard"]);
    for (const name of commands) expect(page, name).to.match(new RegExp(`^\\| .*\`${name}[ \`]`, "m"));
  });

  it("names no command that is not there", () => {
    const named = [...page.matchAll(/^\| `([a-z]+)/gm)].map(([, name]) => name);
    for (const name of named) expect(commands).to.include(name);
  });

  it("names every option of run", () => {
    for (const option of listed(help("run"), "Options"))
      if (!["--verbose", "--help"].includes(option)) expect(documented(option), option).to.equal(true);
  });

  it("names every sub-command", () => {
    for (const command of commands)
      for (const sub of listed(help(command), "Commands").filter((name) => name !== "help"))
        expect(page, `${command} ${sub}`).to.match(new RegExp(`\`(${command} )?${sub}\``));
  });
});

describe("each command", () => {
  it("has help of its own", () => {
    for (const name of listed(help(), "Commands").filter((each) => each !== "help"))
      expect(help(name)).to.match(new RegExp(`^Usage: clickstream ${name} `));
  });
});
