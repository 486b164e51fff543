import { join } from "node:path";
import type pg from "pg";
import { REPOSITORY } from "./terraform/terraform.js";

export const DICTIONARY = join(REPOSITORY, "docs/data-dictionary.md");

const SCHEMAS = [
  ["public", "What analysts read: the events as they came."],
  ["analytics", "The same for analysts and their tools, under names that stay ([analysts.md](analysts.md))."],
  ["dw", "Rollups that the dashboard reads, made from the events, and alerts."],
  ["etl", "Bookkeeping: runs, ledger, quarantine, retention, the lake."],
] as const;

const HEAD = `# Data dictionary

Every table and view of the database, with what each column means. Made by \`npm run dictionary\` from the comments in the
database, which a client shows too (\`\\d+\` in psql): change them in a migration, not here. A \`timestamp with time zone\`
is an instant, shown in the time zone of the session; names of events, ids and texts are as the browsers sent them.
`;

/** A table or view of a migrated database; what has no comment has null for its description. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly isView: boolean;
  readonly description: string | null;
  readonly columns: readonly { name: string; type: string; description: string | null }[];
}

export async function describeRelations(db: pg.Pool): Promise<Relation[]> {
  const { rows } = await db.query<Relation>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind IN ('v', 'm') AS "isView",
       obj_description(c.oid, 'pg_class') AS description,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
           'description', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY array_position($1, n.nspname::text), c.relname COLLATE "C"`,
    [SCHEMAS.map(([schema]) => schema)],
  );
  return rows;
}

/** The text of docs/data-dictionary.md. */
export function dataDictionary(relations: readonly Relation[]): string {
  const parts = SCHEMAS.map(([schema, purpose]) => {
    const own = relations.filter((relation) => relation.schema === schema);
    return `## ${schema}\n\n${purpose}\n\n${own.map(section).join("\n")}`;
  });
  return [HEAD, ...parts].join("\n");
}

function section({ schema, name, isView, description, columns }: Relation): string {
  const rows = columns.map(
    (column) => `| \`${column.name}\` | ${column.type} | ${cell(column.description)} |`,
  );
  const heading = `### ${schema}.${name}${isView ? " (view)" : ""}`;
  return `${heading}\n\n${description}\n\n| column | type | description |\n|---|---|---|\n${rows.join("\n")}\n`;
}

const cell = (text: string | null): string => (text ?? "").replaceAll("|", "\\|");
