import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  DescribeMapRunCommand,
  type ExecutionStatus,
  paginateListExecutions,
  paginateListMapRuns,
  StartExecutionCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import type { Window } from "etl-lib";
import { ARTIFACTS, artifactsBucketName, type BackfillInput } from "../../stacks/names.js";
import type { Deployed } from "../deployed/deployed.js";
import { planHours } from "./plan.js";

/** How far an execution is. */
export interface BackfillState {
  readonly arn: string;
  readonly status: ExecutionStatus;
  readonly from: string;
  readonly to: string;
  readonly startedAt: Date;
  /** Of its window. */
  readonly hours: number;
  readonly done: number;
  readonly running: number;
  /** The hours that are not loaded; known at its end. */
  readonly failed: readonly FailedHour[];
  /** Why it ended otherwise than well; null while it has not. */
  readonly reason: string | null;
}

export interface FailedHour {
  /** Its beginning. */
  readonly hour: string;
  readonly why: string;
}

/** Executions of the deployed backfill machine. */
export class Executions {
  private constructor(
    private readonly deployed: Deployed,
    private readonly machine: string,
  ) {}

  static async of(deployed: Deployed): Promise<Executions> {
    return new Executions(deployed, await deployed.output("scheduler", "backfill_arn"));
  }

  /** Writes the hours of the window into the artifacts bucket and starts an execution over them. @returns its ARN */
  async start(window: Window, maxConcurrency: number, now = new Date()): Promise<string> {
    const { config, clients } = this.deployed;
    const bucket = artifactsBucketName(config, await this.deployed.accountId());
    const name = `${stamp(window.from)}--${stamp(window.to)}--${now.getTime()}`;
    const lists = planHours(window);
    const folder = `${ARTIFACTS.backfills}/${name}`;
    const firstKey = await this.#put(bucket, `${folder}/first.json`, lists.first);
    const othersKey = await this.#put(bucket, `${folder}/others.json`, lists.others);
    const input: BackfillInput = {
      bucket,
      folder,
      firstKey,
      othersKey,
      maxConcurrency,
      firstHours: lists.first.length,
      otherHours: lists.others.length,
      from: window.from.toISOString(),
      to: window.to.toISOString(),
      refreshes: 0,
    };
    const command = new StartExecutionCommand({
      stateMachineArn: this.machine,
      name,
      input: JSON.stringify(input),
    });
    return (await clients.sfn.send(command)).executionArn ?? "";
  }

  /** The one that runs and began last, or without any the last one; null when there was none. */
  async newest(): Promise<string | null> {
    let last: { arn: string; at: number } | null = null;
    for await (const { executions } of paginateListExecutions(
      { client: this.deployed.clients.sfn },
      { stateMachineArn: this.machine },
    ))
      for (const { executionArn = "", startDate, status } of executions ?? []) {
        if (status === "RUNNING") return executionArn;
        const at = startDate?.getTime() ?? 0;
        if (!last || at > last.at) last = { arn: executionArn, at };
      }
    return last?.arn ?? null;
  }

  async stop(arn: string): Promise<void> {
    const command = new StopExecutionCommand({ executionArn: arn, cause: "npm run backfill -- --cancel" });
    await this.deployed.clients.sfn.send(command);
  }

  async describe(arn: string): Promise<BackfillState> {
    const execution = await this.deployed.clients.sfn.send(
      new DescribeExecutionCommand({ executionArn: arn }),
    );
    const input = JSON.parse(execution.input ?? "{}") as BackfillInput;
    const status = execution.status as ExecutionStatus;
    const isOver = status !== "RUNNING";
    return {
      arn,
      status,
      from: input.from,
      to: input.to,
      startedAt: execution.startDate ?? new Date(0),
      hours: input.firstHours + input.otherHours,
      ...(await this.#countItems(arn)),
      failed: status === "FAILED" ? await this.#failedHours(input) : [],
      reason: isOver && status !== "SUCCEEDED" ? reasonOf(execution) : null,
    };
  }

  async #put(bucket: string, Key: string, items: readonly object[]): Promise<string> {
    const Body = JSON.stringify(items);
    await this.deployed.clients.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: "application/json" }),
    );
    return Key;
  }

  async #countItems(arn: string): Promise<Pick<BackfillState, "done" | "running">> {
    const client = this.deployed.clients.sfn;
    const counts = { done: 0, running: 0 };
    for await (const { mapRuns } of paginateListMapRuns({ client }, { executionArn: arn }))
      for (const { mapRunArn } of mapRuns ?? []) {
        const { itemCounts } = await client.send(new DescribeMapRunCommand({ mapRunArn }));
        const { succeeded = 0, failed = 0, timedOut = 0, aborted = 0, running = 0 } = itemCounts ?? {};
        counts.done += succeeded + failed + timedOut + aborted;
        counts.running += running;
      }
    return counts;
  }

  /** As the machine noted them beside its lists. */
  async #failedHours({ bucket: Bucket, folder }: BackfillInput): Promise<FailedHour[]> {
    const client = this.deployed.clients.s3;
    const failed: FailedHour[] = [];
    const read = async (Key: string | undefined): Promise<FailedHour> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? "{}");
    };
    for await (const { Contents } of paginateListObjectsV2(
      { client },
      { Bucket, Prefix: `${folder}/failed/` },
    ))
      failed.push(...(await Promise.all((Contents ?? []).map(({ Key }) => read(Key)))));
    return failed.sort((one, other) => one.hour.localeCompare(other.hour));
  }
}

const reasonOf = ({ status, error, cause }: DescribeExecutionCommandOutput): string =>
  [status, error, cause].filter(Boolean).join(": ");

/** `2025-12-06T0500Z`: letters that the name of an execution may have. */
const stamp = (date: Date): string => `${date.toISOString().slice(0, 16).replace(":", "")}Z`;
