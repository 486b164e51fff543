import { setTimeout as sleep } from "node:timers/promises";
import {
  AthenaClient,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  type QueryExecution,
  StartQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { readAwsEnvironment } from "../../connect/environment.js";
import type { Deployed } from "../deployed/deployed.js";
import { CommandError } from "../shared/failure.js";
import type { Answer } from "./command.js";

const POLL_MS = 500;

/** Asks in the deployed workgroup, which bounds what is read and says where the answer lies. */
export async function askAthena(deployed: Deployed, sql: string): Promise<Answer> {
  const [workgroup, database] = await Promise.all([
    deployed.output("lake", "workgroup_name"),
    deployed.output("lake", "database_name"),
  ]);
  const { region } = deployed.config;
  const { endpoint } = readAwsEnvironment({ ...process.env, AWS_REGION: region });
  const athena = new AthenaClient({ region, ...(endpoint === null ? {} : { endpoint }) });
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      WorkGroup: workgroup,
      QueryExecutionContext: { Database: database },
    }),
  );
  const { Statistics } = await ended(athena, QueryExecutionId);
  return {
    ...(await answerOf(athena, QueryExecutionId)),
    scannedBytes: Statistics?.DataScannedInBytes ?? null,
  };
}

async function ended(athena: AthenaClient, QueryExecutionId: string | undefined): Promise<QueryExecution> {
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (QueryExecution && State === "SUCCEEDED") return QueryExecution;
    if (State === "FAILED" || State === "CANCELLED")
      throw new CommandError(
        `Athena ended the statement as ${State}: ${StateChangeReason ?? "without a reason"}`,
      );
    await sleep(POLL_MS);
  }
}

async function answerOf(
  client: AthenaClient,
  QueryExecutionId: string | undefined,
): Promise<Pick<Answer, "columns" | "rows">> {
  let columns: string[] | undefined;
  const rows: (string | null)[][] = [];
  for await (const { ResultSet } of paginateGetQueryResults({ client }, { QueryExecutionId })) {
    const isFirst = columns === undefined;
    columns ??= (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = "" }) => Name);
    // The first row of a SELECT's first page repeats the names.
    const some = (ResultSet?.Rows ?? []).map(({ Data }) =>
      (Data ?? []).map(({ VarCharValue }) => VarCharValue ?? null),
    );
    const repeats = isFirst && some[0]?.every((value, at) => value === columns?.[at]);
    rows.push(...(repeats ? some.slice(1) : some));
  }
  return { columns: columns ?? [], rows };
}
