import type { BackfillInput } from "../names.js";

/** After so many runs of an hour, each cut short, something is wrong with it. */
const LONGEST_ROUNDS = 100;
const LONGEST_REFRESHES = 50;
/** Longer than the longest run of another execution: some 50 minutes at half of a minute each. */
const MOST_THROTTLES = 100;
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
          "firstHours.$": input("firstHours"),
          "otherHours.$": input("otherHours"),
          "first.$": "$.first",
          "others.$": "$.others",
        },
        Next: "Refresh rollups",
      },
      // By what is loaded: a child that crashed notes nothing.
      "All loaded?": {
        Type: "Choice",
        Choices: [
          {
            And: [
              { Variable: "$.first.loaded", NumericEqualsPath: input("firstHours") },
              { Variable: "$.others.loaded", NumericEqualsPath: input("otherHours") },
            ],
            Next: "All loaded",
          },
        ],
        Default: "Not all loaded",
      },
      "All loaded": { Type: "Succeed" },
      "Not all loaded": {
        Type: "Fail",
        Error: "HoursNotLoaded",
        Cause: "Some hours are not loaded; the notes beside the lists of hours say which, and why.",
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
    ItemSelector: {
      "from.$": "$$.Map.Item.Value.from",
      "to.$": "$$.Map.Item.Value.to",
      round: 0,
      "bucket.$": input("bucket"),
      "folder.$": input("folder"),
    },
    ItemProcessor: hour(functionArn, list),
    ResultSelector: { "loaded.$": "States.ArrayLength($[*].ok)" },
    ResultPath: `$.${list}`,
    Next: next,
  };
}

/** One hour: runs until nothing of it remains. No two states of a machine may have one name. */
function hour(functionArn: string, list: string): object {
  const named = (state: string) => `${state} (${list})`;
  const because = (why: object) => ({
    Type: "Pass",
    Parameters: { "hour.$": "$.from", ...why },
    ResultPath: "$.failed",
    Next: named("Note why"),
  });
  return {
    ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
    StartAt: named("Load"),
    States: {
      [named("Load")]: {
        ...invoke(functionArn, { "from.$": "$.from", "to.$": "$.to", rollups: false }),
        ResultSelector: {
          "remaining.$": "$.Payload.objects.remaining",
          "unlisted.$": "$.Payload.objects.unlisted",
        },
        ResultPath: "$.run",
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.error", Next: named("Failed") }],
        Next: named("Remaining?"),
      },
      [named("Remaining?")]: {
        Type: "Choice",
        Choices: [
          { Variable: "$.round", NumericGreaterThan: LONGEST_ROUNDS, Next: named("Endless") },
          { Variable: "$.run.remaining", NumericGreaterThan: 0, Next: named("Go on") },
          { Variable: "$.run.unlisted", NumericGreaterThan: 0, Next: named("Go on") },
        ],
        Default: named("Loaded"),
      },
      [named("Go on")]: {
        Type: "Pass",
        Parameters: {
          "from.$": "$.from",
          "to.$": "$.to",
          "round.$": "States.MathAdd($.round, 1)",
          "bucket.$": "$.bucket",
          "folder.$": "$.folder",
        },
        Next: named("Load"),
      },
      [named("Loaded")]: { Type: "Pass", Result: { ok: 1 }, End: true },
      [named("Endless")]: because({ why: `after ${LONGEST_ROUNDS} runs something of it still remains` }),
      // What the function throws comes as JSON with a stack trace, what Lambda says of itself as a text.
      [named("Failed")]: {
        Type: "Choice",
        Choices: [
          { Variable: "$.error.Cause", StringMatches: '{*"errorMessage":*}', Next: named("Read the cause") },
        ],
        Default: named("Not run"),
      },
      [named("Read the cause")]: {
        Type: "Pass",
        Parameters: { "json.$": "States.StringToJson($.error.Cause)" },
        ResultPath: "$.cause",
        Next: named("Not loaded"),
      },
      [named("Not loaded")]: because({ "why.$": "$.cause.json.errorMessage" }),
      [named("Not run")]: because({ "why.$": "$.error.Error" }),
      // Beside the lists, and not in the result: all results of a map together hold 256 KiB.
      [named("Note why")]: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:s3:putObject",
        Parameters: {
          "Bucket.$": "$.bucket",
          "Key.$": "States.Format('{}/failed/{}.json', $.folder, $.from)",
          "Body.$": "States.JsonToString($.failed)",
          ContentType: "application/json",
        },
        Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 2, MaxAttempts: 5, BackoffRate: 2 }],
        // Without a note the hour is missing from those that are loaded all the same.
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: named("Missing") }],
        ResultPath: null,
        Next: named("Missing"),
      },
      [named("Missing")]: { Type: "Pass", Result: {}, End: true },
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
        MaxAttempts: MOST_THROTTLES,
        BackoffRate: 2,
        MaxDelaySeconds: 60,
        JitterStrategy: "FULL",
      },
      // A run that failed, timed out or was killed: what it committed stays, and the next one loads the rest.
      { ErrorEquals: ["States.ALL"], IntervalSeconds: 15, MaxAttempts: 2, BackoffRate: 2 },
    ],
  };
}
