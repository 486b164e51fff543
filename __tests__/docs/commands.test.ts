import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { HOST_FILES } from "../../stacks/bootstrap/host-files.js";
import { synthesize } from "../../testing/terraform/synth.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const PAGES = ["README.md", ...readdirSync(join(REPOSITORY, "docs")).flatMap((name) => pageOf(name))];
const STACKS = ["network", "endpoints", "warehouse", "scheduler"];

function pageOf(name: string): string[] {
  return name.endsWith(".md") ? [join("docs", name)] : [];
}

const PREFIXES = /^(?:sudo |[A-Z_]+=(?:'[^']*'|[^\s$(]*) )+/;

const read = (page: string) => readFileSync(join(REPOSITORY, page), "utf8");

/** Every command that a page tells the reader to run, as its words. */
function commandsOf(page: string, program: string): string[][] {
  const text = read(page).replaceAll(/\\\n\s*/g, " ");
  const inline = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  const blocks = [
    ...[...text.matchAll(/^ {4,}(\S.*)$/gm)].map((match) => match[1] ?? ""),
    ...[...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap((match) => (match[1] ?? "").split("\n")),
  ];
  return [...inline, ...blocks]
    .flatMap((line) => line.split(/\s(?:&&|\|\|?|>|#)\s?|\$\(|\)"?$/))
    .map((piece) => piece.trim().replace(PREFIXES, ""))
    .filter((piece) => piece.startsWith(`${program} `))
    .map((piece) =>
      (piece.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll(/^["']|["']$/g, "")),
    );
}

/** Programs that the pages' blocks may begin a line with, beside those whose arguments are looked at here. */
const SHELL = ["cd", "cp", "echo", "export", "runuser", "set", "sudo"];
const LOOKED_AT = ["npm", "aws", "terraform", "systemctl", "journalctl"];

/** Indented blocks that the reader is to type: the first word of the first line is a program. */
function shellBlocks(page: string): string[] {
  const blocks = [...read(page).matchAll(/(?:^ {4,}\S.*\n(?:^ *\n(?=^ {4,}\S))?)+/gm)].map(([block]) =>
    block.replaceAll(/^ +/gm, ""),
  );
  const fenced = [...read(page).matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);
  const isTyped = (block: string) =>
    [...SHELL, ...LOOKED_AT].includes(block.replace(PREFIXES, "").split(/\s/)[0] ?? "") ||
    /^[A-Z]+=/.test(block);
  return [...blocks.filter(isTyped), ...fenced];
}

const everyCommand = (program: string) =>
  PAGES.flatMap((page) => commandsOf(page, program).map((words) => ({ page, words, text: words.join(" ") })));

describe("the commands in README and docs", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

  it("are found at all", () => {
    for (const [program, least] of [
      ["npm", 30],
      ["aws", 12],
      ["terraform", 6],
      ["systemctl", 6],
    ] as const)
      expect(everyCommand(program).length, program).to.be.at.least(least);
  });

  it("of npm are scripts that exist, with options that they have", async () => {
    const helps = new Map<string, Promise<string>>();
    for (const { page, words, text } of everyCommand("npm")) {
      const [, verb = "", ...rest] = words.filter((word) => word !== "--silent");
      if (["ci", "install", "uninstall", "pack"].includes(verb)) continue;
      const [name = "", ...args] = verb === "run" ? rest : [verb, ...rest];
      expect(scripts, `${page}: ${text}`).to.have.property(name);
      const command = /bin\/clickstream\.js ?(.*)$/.exec(scripts[name] ?? "")?.[1];
      const given = args.filter((arg) => /^--[a-z]/.test(arg));
      if (command === undefined || given.length === 0) continue;
      const [first = "run"] = args.filter((arg) => arg !== "--" && /^[a-z-]/.test(arg));
      const asked = command !== "" ? command : first.startsWith("-") ? "run" : first;
      const help = helps.get(asked) ?? helpOf(asked);
      helps.set(asked, help);
      for (const option of given) expect(await help, `${page}: ${text}`).to.include(option);
      if (name === "deploy" || name === "diff")
        for (const stack of args.filter((arg) => /^[a-z]/.test(arg))) expect(STACKS, text).to.include(stack);
    }
  });

  it("of the AWS CLI are calls that it knows, with parameters that it takes", function () {
    if (spawnSync("aws", ["--version"]).status !== 0) return this.skip();
    for (const { page, words, text } of everyCommand("aws")) {
      const [, service = "", operation = ""] = words;
      if (service === "s3" || operation === "start-session" || operation === "wait" || text.includes("…"))
        continue;
      if (operation === "invoke") {
        // the file that it writes to may not stand before a skeleton
        expect(text).to.match(
          /--region \S+ .*--cli-binary-format raw-in-base64-out --cli-read-timeout 0 \S+$/,
        );
        continue;
      }
      // a query is asked of the answer, and a skeleton has none
      const args = words
        .slice(1)
        .filter((word, index, all) => word !== "--query" && all[index - 1] !== "--query");
      const env = { ...process.env, AWS_DEFAULT_REGION: "ap-southeast-1" };
      const { status, stderr } = spawnSync("aws", [...args, "--generate-cli-skeleton", "output"], {
        env,
        encoding: "utf8",
      });
      expect(status, `${page}: ${text}\n${stderr}`).to.equal(0);
    }
  });

  it("of Terraform are commands that it has", function () {
    if (spawnSync("terraform", ["version"]).status !== 0) return this.skip();
    for (const { page, words, text } of everyCommand("terraform")) {
      const sub = ["state", "providers"].includes(words[1] ?? "") ? words.slice(1, 3) : words.slice(1, 2);
      const { status, stdout } = spawnSync("terraform", [...sub, "-help"], { encoding: "utf8" });
      expect(status, `${page}: ${text}`).to.equal(0);
      for (const flag of words.filter((word) => /^-[a-z]/.test(word)))
        expect(stdout, `${page}: ${text}`).to.include(flag.split("=")[0]);
    }
  });

  it("on the host start units that it has", () => {
    const units = HOST_FILES.map(({ path }) => path.split("/").at(-1) ?? "");
    for (const { page, words, text } of everyCommand("systemctl")) {
      const [, verb, unit = ""] = words;
      if (verb === "start")
        expect(units, `${page}: ${text}`).to.include(`${unit.replace(/\.service$/, "")}.service`);
    }
  });

  it("on the host read the journals of units that it has", () => {
    const units = new Set(
      HOST_FILES.map(({ path }) => (path.split("/").at(-1) ?? "").replace(/\.service$/, "")),
    );
    for (const { page, words, text } of everyCommand("journalctl"))
      for (const [index, word] of words.entries())
        if (words[index - 1] === "-u" && !["cloud-final", "postgresql"].includes(word))
          expect(units, `${page}: ${text}`).to.include(word);
  });

  it("name documents and parameters that the stacks make", () => {
    const { warehouse } = synthesize();
    const made = JSON.stringify(warehouse.json);
    for (const page of PAGES) {
      for (const [, document = ""] of read(page).matchAll(/--document-name (\S+)/g))
        expect(made, page).to.include(`"name":"${document}"`);
      for (const [parameter] of read(page).matchAll(/\/clickstream\/production\/dwh\/[a-z-]+/g))
        expect(made, page).to.include(`"name":"${parameter}"`);
    }
  });

  it("in blocks are shell that bash can read, each line of a program that a test here or a rehearsal looks at", () => {
    const blocks = PAGES.flatMap((page) => shellBlocks(page).map((block) => ({ page, block })));
    expect(blocks.length).to.be.at.least(15);
    for (const { page, block } of blocks) {
      const typed = block.replaceAll("…", "x");
      const { status, stderr } = spawnSync("bash", ["-n"], { input: typed, encoding: "utf8" });
      expect(status, `${page}:\n${block}${stderr}`).to.equal(0);
      for (const line of typed.replaceAll(/\\\n\s*|\|\n\s*/g, " ").split("\n")) {
        const first = line.trim().replace(PREFIXES, "").split(/\s/)[0] ?? "";
        if (first === "" || /^[A-Z]+=/.test(first)) continue;
        expect([...SHELL, ...LOOKED_AT], `${page}: ${line}`).to.include(first);
      }
    }
  });

  it("change into stacks that there are", () => {
    for (const page of PAGES)
      for (const [, stack] of read(page).matchAll(/cd cdktf\.out\/stacks\/(\w+)/g))
        expect(STACKS, page).to.include(stack);
  });

  it("never call cdktf for one stack, which fails on those it depends on", () => {
    for (const page of PAGES) expect(read(page), page).to.not.match(/npx cdktf|cdktf deploy [a-z]/);
  });
});

describe("the pages", () => {
  it("link to files that exist", () => {
    for (const page of PAGES)
      for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
        expect(existsSync(join(REPOSITORY, dirname(page), target)), `${page}: ${target}`).to.equal(true);
  });

  it("name each dependency with what it is for, and what check:cdktn installs", () => {
    const page = read("docs/dependencies.md");
    for (const manifest of ["package.json", "etl-lib/package.json"]) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(manifest));
      for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
        const family = name.replace(/^(@aws-sdk\/client-|@types\/|@opentelemetry\/).*/, "$1*");
        const short = name.replace("@aws-lambda-powertools/", "…/");
        expect(
          [name, family, short].some((text) => page.includes(`\`${text}\``)),
          `${manifest}: ${name}`,
        ).to.equal(true);
      }
    }
    for (const [, name = "", version = ""] of read("checks/cdktn.ts").matchAll(
      /"(@?cdktn[\w/-]*)@([\d.]+)"/g,
    ))
      expect(page).to.include(`\`${name}\` ${version}`);
  });

  it("name tests that exist, beside each promise of docs/security.md", () => {
    const named = [...read("docs/security.md").matchAll(/`(__tests__\/[^`]+)`/g)].map(
      (match) => match[1] ?? "",
    );
    expect(named.length).to.be.at.least(10);
    for (const path of named) expect(existsSync(join(REPOSITORY, path)), path).to.equal(true);
  });
});

async function helpOf(command: string): Promise<string> {
  const args = ["bin/clickstream.js", command, "--help"];
  return (await promisify(execFile)(process.execPath, args, { cwd: REPOSITORY })).stdout;
}
