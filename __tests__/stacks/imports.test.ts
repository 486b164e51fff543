import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const SOURCES = ["stacks", "connect", "functions", "postgres", "cli", "etl-lib/src", "bench", "fuzz"];
const BINDINGS = /^(cdktf|constructs|@cdktf\/.*)$/;

function sources(folders: readonly string[]): string[] {
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  return inFolders.filter((file) => file.endsWith(".ts"));
}

function imports(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, specifier]) => specifier as string);
}

describe("imports", () => {
  const all = ["main.ts", ...sources(SOURCES)].map((file) => ({ file, specifiers: imports(file) }));

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
      "etl-lib/lake-columns",
      "etl-lib/migrations",
      "functions/etl/bundle.js",
      "functions/etl/contract.js",
    ]);
  });

  it("lead from a test to what it stands on, and never back: __tests__ asserts, testing/ serves", () => {
    const tests = sources(["__tests__"]);
    const idle = tests.filter(
      (file) => !/\b(it|describe)\(/.test(readFileSync(join(REPOSITORY, file), "utf8")),
    );
    expect(idle).to.deep.equal([]);
    const others = [...all, ...sources(["testing"]).map((file) => ({ file, specifiers: imports(file) }))];
    const back = others.filter(({ specifiers }) => specifiers.some((name) => name.includes("__tests__/")));
    expect(back.map(({ file }) => file)).to.deep.equal([]);
  });

  it("lead one way through etl-lib's rooms: each knows of those before it alone", () => {
    const rooms = "extract transform contract rows scan load lake erase run inspect".split(" ");
    const roomOf = (path: string) => rooms.indexOf(/^etl-lib\/src\/(\w+)\//.exec(path)?.[1] ?? "");
    const arrows = all
      .filter(({ file }) => file.startsWith("etl-lib/src/") && !/src\/(index|s3)\.ts$/.test(file)) // the package's two entries
      .flatMap(({ file, specifiers }) =>
        specifiers
          .filter((name) => name.startsWith("."))
          .map((name) => ({ file, to: join(file, "..", name) })),
      );
    const back = arrows.filter(({ file, to }) => roomOf(to) > roomOf(file));
    expect(back.map(({ file, to }) => `${file} -> ${to}`)).to.deep.equal([]);
    expect(arrows.filter(({ file, to }) => roomOf(to) < roomOf(file))).to.have.length.greaterThan(50);
  });

  it("reach etl-lib as a package, but for its own unit tests", () => {
    const files = sources(["__tests__", "testing", ...SOURCES]).filter(
      (file) => !/^(etl-lib|__tests__\/etl-lib|testing\/etl-lib)\//.test(file),
    );
    expect(files.filter((file) => imports(file).some((name) => name.includes("etl-lib/src")))).to.deep.equal(
      [],
    );
  });
});
