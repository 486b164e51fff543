import { type Command, InvalidArgumentError, Option } from "commander";

export const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  return value;
};

export const jsonOption = () =>
  new Option("--json", "print one JSON object on stdout, and nothing else there");

/** The options that select objects of a source. */
export const addSourceOptions = (command: Command): Command =>
  command
    .option(
      "--source <place>",
      "a directory, a file, a glob, - for stdin, or s3://bucket[/prefix] (default: RAW_BUCKET when set, else the bundled samples)",
    )
    .option("--from <time>", "first hour, ISO 8601 in UTC, e.g. 2026-11-20T05:00Z")
    .option("--to <time>", "end of the window, not included (default: now)")
    .option(
      "--last <time>",
      "the last 48h or 7d instead (default: all of a directory or prefix, ETL_LOOKBACK_HOURS of a bucket)",
    );

const ENVIRONMENT_HELP = `
The environment is the one that this folder deploys (cdktf.json, CDKTF_CONTEXT_JSON), found by the outputs in its
Terraform state: a local file beside the output folder, or an object of \`stateBucket\`. AWS credentials are taken from
AWS_PROFILE, AWS_ACCESS_KEY_ID and so on, as the AWS CLI does it.
`;

/** Which deployed environment is meant. @param help what else the command's help says at its end */
export const addDeployedOptions = (command: Command, help: string): Command =>
  command
    .option("--output <folder>", "where cdktf writes the stacks; a local state lies beside it", "cdktf.out")
    .addHelpText("after", `${ENVIRONMENT_HELP}\n${help}`);
