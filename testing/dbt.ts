import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REPOSITORY } from "./terraform/terraform.js";

const FOLDER = join(REPOSITORY, "dbt");
const MODELS = join(FOLDER, "models");

type DataTest = string | { readonly [name: string]: TestProperties };
interface TestProperties {
  readonly arguments?: { readonly values: readonly string[] };
  readonly config?: { readonly where: string };
}
interface Described {
  readonly name: string;
  readonly description?: string;
  readonly columns?: readonly { name: string; description?: string; data_tests?: readonly DataTest[] }[];
  readonly config?: {
    readonly loaded_at_field: string;
    readonly freshness: { readonly filter: string };
  };
}
interface Source {
  readonly name: string;
  readonly tables: readonly Described[];
}

/** The project in dbt/, and the SQL that dbt makes of it: dbt is Python, and is not needed to run these tests. */
export const project = parse(readFileSync(join(FOLDER, "dbt_project.yml"), "utf8")) as {
  readonly vars: { readonly [name: string]: unknown };
};
export const sources = yamlOf<{ sources: Source[] }>("sources.yml").sources;
export const models = yamlOf<{ models: Described[] }>("models.yml").models;
export const modelFiles = readdirSync(MODELS)
  .filter((name) => name.endsWith(".sql"))
  .map((name) => name.slice(0, -".sql".length));

function yamlOf<T>(name: string): T {
  return parse(readFileSync(join(MODELS, name), "utf8")) as T;
}

/** The query of a model. @throws when it names what the project has not, or uses more of Jinja than this knows */
export function compileModel(name: string): string {
  const text = readFileSync(join(MODELS, `${name}.sql`), "utf8");
  const sql = text
    .replace(/\{\{ source\('(\w+)', '(\w+)'\) \}\}/g, (_, source, table) => relationOf(source, table))
    .replace(/\{\{ var\("(\w+)"\) \}\}/g, (_, name) => String(known(project.vars[name], name)));
  if (/\{[{%#]/.test(sql)) throw new Error(`${name}.sql has more of Jinja than is known here.`);
  return sql;
}

export function relationOf(source: string, table: string): string {
  const tables = known(sources.find(({ name }) => name === source)?.tables, source);
  return `${source}.${known(tables.find(({ name }) => name === table)?.name, table)}`;
}

/** Of a described source or model: a query a test, which gives the number of failures. */
export function compileTests({ columns = [] }: Described, relation: string): { name: string; sql: string }[] {
  return columns.flatMap(({ name: column, data_tests = [] }) =>
    data_tests.map((test) => {
      const [[kind, properties] = ["", {}]] =
        typeof test === "string" ? [[test, {} as TestProperties] as const] : Object.entries(test);
      const { where } = properties.config ?? {};
      const from = where === undefined ? relation : `(SELECT * FROM ${relation} WHERE ${where}) dbt_subquery`;
      return { name: `${kind} ${column}`, sql: failures(kind, column, from, properties.arguments?.values) };
    }),
  );
}

export function failures(kind: string, column: string, from: string, values: readonly string[] = []): string {
  const list = values.map((value) => `'${value}'`).join(", ");
  const sql: Readonly<Record<string, string>> = {
    not_null: `SELECT ${column} FROM ${from} WHERE ${column} IS NULL`,
    unique: `SELECT ${column} FROM ${from} WHERE ${column} IS NOT NULL GROUP BY ${column} HAVING count(*) > 1`,
    accepted_values: `SELECT ${column} FROM ${from} GROUP BY ${column} HAVING ${column} NOT IN (${list})`,
  };
  return `SELECT count(*)::int AS failures FROM (${known(sql[kind], kind)}) dbt_internal_test`;
}

export const compileFreshness = ({ config }: Described, relation: string): string => {
  const { loaded_at_field, freshness } = known(config, "freshness");
  return `SELECT max(${loaded_at_field}) AS max_loaded_at FROM ${relation} WHERE ${freshness.filter}`;
};

function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The dbt project has no ${name}.`);
  return value;
}
