import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Beside this library's sources, and beside the bundle of the function. */
const SQL_FOLDER = new URL("../sql/", import.meta.url);

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly sql: string;
}

/** One of this library's own. */
export interface MigrationFile extends Migration {
  readonly path: string;
}

/** The numbered SQL files of this library, in order. */
export function readMigrations(): MigrationFile[] {
  const names = readdirSync(SQL_FOLDER).filter((name) => /^\d{4}_.+\.sql$/.test(name));
  return names.sort().map((name) => {
    const file = new URL(name, SQL_FOLDER);
    const sql = readFileSync(file, "utf8");
    return {
      version: Number(name.slice(0, 4)),
      name,
      path: fileURLToPath(file),
      checksum: createHash("sha256").update(sql).digest("hex"),
      sql,
    };
  });
}
