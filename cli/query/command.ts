import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { SAVED_QUERIES } from "../../stacks/lake-queries.js";
import { UsageError } from "../shared/failure.js";
import { count, oneLine, printable, table } from "../shared/format.js";
import { addDeployedOptions, jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { WORK_FOLDER } from "../shared/project.js";

/** What a query answers: every value as text, null as it is. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** Bytes that were read, where that is known. */
  readonly scannedBytes: number | null;
}

interface Options {
  readonly lake?: string;
  readonly saved?: string;
  readonly list?: true;
  readonly output: string;
  readonly json?: true;
  readonly csv?: true;
}

const LOCAL_LAKE = join(WORK_FOLDER, ".local", "lake");
const HELP = `The table is clickstream_events, its partition \`day\`: name a range of days, for Athena charges by what it reads.
A folder is read by DuckDB: the one of --lake, else .local/lake where \`lake export\` wrote one. Otherwise Athena is asked,
in the workgroup of the deployed lake.`;

export const define = (command: Command): Command =>
  addDeployedOptions(command, HELP)
    .argument("[sql]", "one statement")
    .option("--lake <folder>", "a folder that `lake export` wrote")
    .option("--saved <name>", "one of the saved questions instead")
    .option("--list", "list the saved questions")
    .addOption(jsonOption())
    .addOption(new Option("--csv", "print comma-separated values").conflicts("json"))
    .action(query);

async function query(sql: string | undefined, options: Options): Promise<void> {
  if (options.list) return list(options);
  const statement = statementOf(sql, options.saved);
  const answer = await ask(statement, options);
  if (options.json) printJson({ rows: answer.rows.map((row) => objectOf(answer.columns, row)) });
  else if (options.csv) console.log(csvOf(answer));
  else console.log(tableOf(answer));
}

function list({ json }: Options): void {
  if (json) printJson({ queries: SAVED_QUERIES });
  else
    console.log(
      table(
        ["name", { name: "question", wrapTo: 30 }],
        SAVED_QUERIES.map(({ name, question }) => [name, question]),
      ),
    );
}

function statementOf(sql: string | undefined, saved: string | undefined): string {
  if ((sql === undefined) === (saved === undefined))
    throw new UsageError(
      'Give one statement, as in query "SELECT count(*) FROM clickstream_events", or --saved.',
    );
  if (sql !== undefined) return sql;
  const found = SAVED_QUERIES.find(({ name }) => name === saved);
  if (found) return found.sql;
  const names = SAVED_QUERIES.map(({ name }) => name).join(", ");
  throw new UsageError(`There is no saved question "${saved}": there are ${names}.`);
}

async function ask(sql: string, { lake, output }: Options): Promise<Answer> {
  const folder = lake ?? (existsSync(LOCAL_LAKE) ? LOCAL_LAKE : undefined);
  if (folder !== undefined) return (await import("./duckdb.js")).askDuckdb(folder, sql);
  const [{ openDeployed }, { askAthena }] = await Promise.all([
    import("../deployed/deployed.js"),
    import("./athena.js"),
  ]);
  return askAthena(openDeployed(output, process.env), sql);
}

const objectOf = (columns: readonly string[], row: readonly (string | null)[]) =>
  Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]));

const ROWS_SHOWN = 1_000;
const CELL = 60;

function tableOf({ columns, rows, scannedBytes }: Answer): string {
  const shown = rows
    .slice(0, ROWS_SHOWN)
    .map((row) => row.map((value) => oneLine(printable(value ?? "–"), CELL)));
  const head = columns.map((name) => ({ name, wrapTo: 8 }));
  const read = scannedBytes === null ? "" : `, ${count(scannedBytes / 1e6)} MB read`;
  const hidden = rows.length > ROWS_SHOWN ? `, of which the first ${count(ROWS_SHOWN)} are shown` : "";
  return `${table(head, shown)}\n${count(rows.length)} rows${hidden}${read}`;
}

/** https://www.rfc-editor.org/rfc/rfc4180; null is empty, and empty text is quoted. */
const csvOf = ({ columns, rows }: Answer): string =>
  [columns, ...rows].map((row) => row.map(csvField).join(",")).join("\n");

const csvField = (value: string | null): string => {
  if (value === null) return "";
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
};
