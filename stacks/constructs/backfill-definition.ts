import type { BackfillInput } from "../names.js";

/** After so many runs of an hour, each cut short, something is wrong with it. */
const LONGEST_ROUNDS = 100;
const LONGEST_REFRESHES = 50;
/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: nothing was run, or nobody knows. */
const THROTTLED = [
  "Lambda.TooManyRequestsException",
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
];

/** A key of {@link BackfillInput}, as a JSONPath. */
const input = (key: keyof BackfillInput): string => `$.${key}`;

/**
 * The machine that loads what one function cannot in its minutes, in Amazon States Language: the hours of a window from two
 * lists in the artifacts bucket, side by side, each until nothing of it remains. The first hour of each day goes before the
 * others: what lies right in a day's folder belongs to all of them, and is read once.
 */
export function backfillDefinition(functionArn: string): object {
  return {
    StartAt: "First hours",
    States: {
      "First hours": eachHour(functionArn, "first", "Other hours"),
      "Other hours": eachHour(functionArn, "others", "Refresh rollups"),
      "Refresh rollups": {
        ...invoke(functionArn, { load: false }),
        ResultSelector: { "isDone.$": "$.Payload.rollupsRefreshed" },
        ResultPath: "$.rollups",
        // The next scheduled run goes on with it.
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "All loaded?" }],
        Next: "Refreshed?",
      },
      "Refreshed?": {
        Type: "Choice",
        Choices: [
          { Variable: "$.rollups.isDone", BooleanEquals: true, Next: "All loaded?" },
          { Variable: input("refreshes"), NumericGreaterThan: LONGEST_REFRESHES, Next: "All loaded?" },
        ],
        Default: "Refresh again",
      },
      "Refresh again": {
        Type: "Pass",
        Parameters: {
          "refreshes.$": "States.MathAdd($.refreshes, 1)",
          "first.$": "$.first",
          "others.$": "$.others",
        },
        Next: "Refresh rollups",
      },
      "All loaded?": {
        Type: "Choice",
        Choices: [
          { Variable: "$.first.count", NumericGreaterThan: 0, Next: "Not all loaded" },
          { Variable: "$.others.count", NumericGreaterThan: 0, Next: "Not all loaded" },
        ],
        Default: "All loaded",
      },
      "All loaded": { Type: "Succeed" },
      "Not all loaded": {
        Type: "Fail",
        Error: "HoursNotLoaded",
        Cause: "Some hours are not loaded; this state's input names them.",
      },
    },
  };
}

function eachHour(functionArn: string, list: "first" | "others", next: string): object {
  return {
    Type: "Map",
    Label: list,
    MaxConcurrencyPath: input("maxConcurrency"),
    ToleratedFailurePercentage: 100.0,
    ItemReader: {
      Resource: "arn:aws:states:::s3:getObject",
      ReaderConfig: { InputType: "JSON" },
      Parameters: { "Bucket.$": input("bucket"), "Key.$": input(`${list}Key`) },
    },
    ItemProcessor: hour(functionArn, list),
    // At most 256 KiB in all: nothing of an hour that is loaded, and its beginning of one that is not.
    ResultSelector: { "failed.$": "$[*].failed", "count.$": "States.ArrayLength($[*].failed)" },
    ResultPath: `$.${list}`,
    Next: next,
  };
}

/** One hour: runs until nothing of it remains. No two states of a machine may have one name. */
function hour(functionArn: string, list: string): object {
  const named = (state: string) => `${state} (${list})`;
  const [load, goOn, failed] = [named("Load"), named("Go on"), named("Not loaded")];
  return {
    ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
    StartAt: load,
    States: {
      [load]: {
        ...invoke(functionArn, { "from.$": "$.from", "to.$": "$.to", rollups: false }),
        ResultSelector: {
          "remaining.$": "$.Payload.objects.remaining",
          "unlisted.$": "$.Payload.objects.unlisted",
        },
        ResultPath: "$.run",
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: failed }],
        Next: named("Remaining?"),
      },
      [named("Remaining?")]: {
        Type: "Choice",
        Choices: [
          { Variable: "$.round", NumericGreaterThan: LONGEST_ROUNDS, Next: failed },
          { Variable: "$.run.remaining", NumericGreaterThan: 0, Next: goOn },
          { Variable: "$.run.unlisted", NumericGreaterThan: 0, Next: goOn },
        ],
        Default: named("Loaded"),
      },
      [goOn]: {
        Type: "Pass",
        Parameters: { "from.$": "$.from", "to.$": "$.to", "round.$": "States.MathAdd($.round, 1)" },
        Next: load,
      },
      [named("Loaded")]: { Type: "Pass", Result: {}, End: true },
      [failed]: { Type: "Pass", Parameters: { "failed.$": "$.from" }, End: true },
    },
  };
}

function invoke(functionArn: string, payload: object): object {
  return {
    Type: "Task",
    Resource: "arn:aws:states:::lambda:invoke",
    Parameters: { FunctionName: functionArn, Payload: payload },
    Retry: [
      {
        ErrorEquals: THROTTLED,
        IntervalSeconds: 2,
        MaxAttempts: 8,
        BackoffRate: 2,
        MaxDelaySeconds: 60,
        JitterStrategy: "FULL",
      },
      // A run that failed, timed out or was killed: what it committed stays, and the next one loads the rest.
      { ErrorEquals: ["States.ALL"], IntervalSeconds: 15, MaxAttempts: 2, BackoffRate: 2 },
    ],
  };
}
