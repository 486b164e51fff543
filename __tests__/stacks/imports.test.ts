import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "../helpers/terraform.js";

const FOLDERS = ["stacks", "connect", "functions", "postgres", "cli", "etl-lib/src", "bench"];
const BINDINGS = /^(cdktf|constructs|@cdktf\/.*)$/;

function sources(): string[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  return ["main.ts", ...inFolders.filter((file) => file.endsWith(".ts"))];
}

function imports(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, specifier]) => specifier as string);
}

describe("imports", () => {
  const all = sources().map((file) => ({ file, specifiers: imports(file) }));

  it("take the provider's bindings by service: the whole package would cost every synth many seconds", () => {
    const ofProvider = all
      .flatMap(({ specifiers }) => specifiers)
      .filter((name) => name.startsWith("@cdktf/"));
    expect(ofProvider).to.not.have.length(0);
    for (const name of ofProvider)
      expect(name).to.match(/^@cdktf\/provider-aws\/lib\/[a-z0-9-]+\/index\.js$/);
  });

  it("keep cdktf in main.ts and stacks/, so that another framework can take its place", () => {
    const users = all.filter(({ specifiers }) => specifiers.some((name) => BINDINGS.test(name)));
    expect(users.map(({ file }) => file).filter((file) => !/^(main\.ts|stacks\/)/.test(file))).to.deep.equal(
      [],
    );
  });

  it("know of etl-lib and the function no more than their contract", () => {
    const foreign = all
      .filter(({ file }) => file.startsWith("stacks/"))
      .flatMap(({ specifiers }) => specifiers)
      .filter((name) => /etl-lib|functions|connect\/|postgres\/|cli\//.test(name));
    expect([...new Set(foreign.map((name) => name.replace(/^(\.\.\/)+/, "")))].sort()).to.deep.equal([
      "etl-lib/migrations",
      "functions/etl/bundle.js",
      "functions/etl/contract.js",
    ]);
  });
});
