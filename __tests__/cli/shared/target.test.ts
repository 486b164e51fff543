import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadDotEnv, PROJECT_ROOT } from "../../../cli/shared/project.js";
import { COMPOSE, namesDatabase } from "../../../cli/shared/target.js";

describe("docker-compose.yml", () => {
  const file = readFileSync(join(PROJECT_ROOT, "docker-compose.yml"), "utf8");

  it("has the credentials that the command tries", () => {
    const setting = (name: string) => new RegExp(`^ +${name}: (\\S+)$`, "m").exec(file)?.[1];
    expect(setting("POSTGRES_USER")).to.equal(COMPOSE.user);
    expect(setting("POSTGRES_PASSWORD")).to.equal(COMPOSE.password);
    expect(setting("POSTGRES_DB")).to.equal(COMPOSE.database);
    expect(file).to.include(`"127.0.0.1:${COMPOSE.port}:5432"`);
  });

  it("runs PostgreSQL 18 with its volume where that version keeps its data", () => {
    expect(file).to.match(/^ +image: postgres:18$/m);
    expect(file).to.match(/^ +- warehouse:\/var\/lib\/postgresql$/m);
    expect(file).to.include("pg_isready");
  });
});

describe("the choice of the target database", () => {
  it("is the environment's as soon as one DWH_* key is set", () => {
    for (const key of [
      "DWH_HOST",
      "DWH_PORT",
      "DWH_USER",
      "DWH_PASSWORD",
      "DWH_PASSWORD_PARAMETER",
      "DWH_DATABASE",
    ]) {
      expect(namesDatabase({ [key]: "x" }), key).to.equal(true);
    }
    expect(namesDatabase({ DWH_HOST: "", RAW_BUCKET: "b" })).to.equal(false);
  });

  describe("from .env", () => {
    const KEYS = ["TARGET_TEST_NEW", "TARGET_TEST_SET"];
    let root: string;

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), "dotenv-"));
    });
    afterEach(() => {
      rmSync(root, { recursive: true });
      for (const key of KEYS) delete process.env[key];
    });

    it("adds to the environment, whose own values win", () => {
      process.env.TARGET_TEST_SET = "shell";
      writeFileSync(join(root, ".env"), "TARGET_TEST_NEW=file\nTARGET_TEST_SET=file\n");
      loadDotEnv(root);
      expect(KEYS.map((key) => process.env[key])).to.deep.equal(["file", "shell"]);
    });

    it("does without the file", () => {
      expect(() => loadDotEnv(root)).not.to.throw();
    });
  });

  it("is explained key by key in .env.example", () => {
    const example = readFileSync(join(PROJECT_ROOT, ".env.example"), "utf8");
    const keys = [...example.matchAll(/^#?([A-Z_0-9]+)=/gm)].map(([, key]) => key);
    expect(keys).to.include.members([
      "DWH_HOST",
      "DWH_PORT",
      "DWH_USER",
      "DWH_PASSWORD",
      "DWH_DATABASE",
      "DWH_SSL",
      "RAW_BUCKET",
      "AWS_REGION",
    ]);
    expect(example).not.to.match(/^[A-Z_]+=/m);
  });
});
