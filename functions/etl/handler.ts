import { type LakeStore, type RunSummary, readHostState, readLookback, runEtl, type Source } from "etl-lib";
import { s3Lake, s3Source } from "etl-lib/s3";
import { createS3Client, createSsmClient } from "../../connect/clients.js";
import { type Env, type EtlEnvironment, readEtlEnvironment } from "../../connect/environment.js";
import { readSecrets } from "../../connect/secrets.js";
import { createPool, RenewingPool } from "../../connect/warehouse.js";
import { LAKE_FOLDER } from "./contract.js";
import { type EraseRequest, type ErasureAnswer, eraseFromHere, parseErasure } from "./erase.js";
import { parseEvent } from "./event.js";
import { createTelemetry, hasFailed, publishHost, publishRun, type Telemetry } from "./telemetry.js";

/** The part of Lambda's context that a run needs. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type Handler = (event: unknown, context: InvocationContext) => Promise<RunSummary | ErasureAnswer>;

/** The run did not end well; thrown so that AWS retries the invocation and then queues it. */
export class RunFailedError extends Error {
  override readonly name = "RunFailedError";
}

/** What is made at the first invocation and kept while the execution environment lives. */
interface Resources {
  readonly environment: EtlEnvironment;
  readonly source: Source;
  readonly pool: RenewingPool;
  readonly lake: LakeStore | undefined;
}

/** Left for the last batch to commit and the rollups to be refreshed. */
const MARGIN = { ms: 20_000, share: 0.25 };
/** Left for the run to be recorded and the metrics to be written: a refresh that takes longer is left to the next run. */
const END_MARGIN = { ms: 5_000, share: 0.1 };
const FUNCTION_NAME = "SBW_Lamda_ETL";

/** A handler that reads its configuration from `env` at the first event. */
export function createHandler(env: Env): Handler {
  const telemetry = createTelemetry(env.AWS_LAMBDA_FUNCTION_NAME ?? FUNCTION_NAME);
  let resources: Resources | null = null;
  return async (event, context) => {
    telemetry.logger.appendKeys({ requestId: context.awsRequestId });
    try {
      resources ??= createResources(env);
      const erasure = parseErasure(event);
      return erasure === null
        ? await run(event, context, resources, telemetry)
        : await erase(erasure, context, resources, telemetry, env);
    } catch (error) {
      telemetry.logger.error(error instanceof Error ? error.message : String(error), { error });
      throw error;
    }
  };
}

function createResources(env: Env): Resources {
  const environment = readEtlEnvironment(env);
  const ssm = createSsmClient(environment.aws);
  const applicationName = env.AWS_LAMBDA_FUNCTION_NAME ?? FUNCTION_NAME;
  const s3 = createS3Client(environment.aws);
  const { lakeBucket } = environment;
  return {
    environment,
    source: s3Source({ client: s3, bucket: environment.rawBucket }),
    lake: lakeBucket === null ? undefined : s3Lake(s3, lakeBucket, LAKE_FOLDER),
    pool: new RenewingPool(async (version) => {
      const secrets = await readSecrets(environment.warehouse, ssm, version);
      return createPool(environment.warehouse, secrets, { applicationName });
    }),
  };
}

async function run(
  event: unknown,
  context: InvocationContext,
  { environment, source, pool, lake }: Resources,
  { logger, metrics }: Telemetry,
): Promise<RunSummary> {
  const { rawBucket, lookbackHours, recentHours, retention, details } = environment;
  const lookback = { hours: lookbackHours, recentHours };
  const request = parseEvent(event, { rawBucket, lookback });
  logger.info("Run starts", { request });
  await pool.prepare();
  const summary = await runEtl({
    ...request,
    source,
    pool,
    retention,
    details,
    lake,
    keepsLate: lake !== undefined,
    ...budgets(context),
  });
  logger.info("Run ends", { summary });
  if (!summary.rollupsRefreshed)
    logger.warn("The rollups are not up to date", { error: summary.errors.at(-1) });
  if (summary.alerts?.length) logger.warn("Alerts are raised", { alerts: summary.alerts });
  if (!summary.dryRun) {
    publishRun(metrics, summary, await readLookback(pool, rawBucket).catch(() => null));
    await reportHost(pool, { logger, metrics });
  }
  if (hasFailed(summary)) throw new RunFailedError(failure(summary));
  return summary;
}

/** The log says what was erased, never of whom. */
async function erase(
  request: EraseRequest,
  context: InvocationContext,
  { pool, lake }: Resources,
  { logger }: Telemetry,
  env: Env,
): Promise<ErasureAnswer> {
  await pool.prepare();
  const endsAt = Date.now() + budgets(context).endBudgetMs;
  const answer = await eraseFromHere(pool, request, { lake: lake ?? null, endsAt, env });
  const { notReached: _, ...report } = answer;
  logger.info("A person was erased", { report });
  return answer;
}

/** A host that cannot be seen is an alarm (its metrics are missing), never a failed run. */
async function reportHost(pool: RenewingPool, { logger, metrics }: Telemetry): Promise<void> {
  try {
    const state = await readHostState(pool);
    if (state) publishHost(metrics, state);
  } catch (error) {
    logger.warn("The host's state cannot be read", { error });
  }
}

function budgets(context: InvocationContext): { timeBudgetMs: number; endBudgetMs: number } {
  const remaining = context.getRemainingTimeInMillis();
  const less = ({ ms, share }: typeof MARGIN) => remaining - Math.min(ms, share * remaining);
  return { timeBudgetMs: less(MARGIN), endBudgetMs: less(END_MARGIN) };
}

function failure({ error, objects }: RunSummary): string {
  if (error !== null) return error.message;
  return `${objects.failed} of ${objects.listed} objects could not be read; the next run tries them again.`;
}

export const handler = createHandler(process.env);
