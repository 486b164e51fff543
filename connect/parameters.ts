import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { LoadError } from "etl-lib";

/**
 * The parameter's value, decrypted.
 *
 * @throws {LoadError} fatal when it is absent, empty or denied; retriable when Systems Manager cannot be reached
 */
export async function readParameter(ssm: SSMClient, name: string): Promise<string> {
  return (await readVersion(ssm, name)).value;
}

/** The value before the newest; the newest when there is only one. Throws as {@link readParameter}. */
export async function readPreviousVersion(ssm: SSMClient, name: string): Promise<string> {
  const newest = await readVersion(ssm, name);
  if (newest.version < 2) return newest.value;
  return (await readVersion(ssm, `${name}:${newest.version - 1}`)).value;
}

/** @param name with `:VERSION` for another than the newest */
async function readVersion(ssm: SSMClient, name: string): Promise<{ value: string; version: number }> {
  const answer = await ssm
    .send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    .catch((cause: unknown) => {
      throw explain(name, cause);
    });
  const value = answer.Parameter?.Value;
  if (!value) throw new LoadError("fatal", `The SSM parameter ${name} is empty.`);
  return { value, version: answer.Parameter?.Version ?? 1 };
}

function explain(name: string, cause: unknown): LoadError {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  switch (error.name) {
    case "ParameterNotFound":
      return new LoadError(
        "fatal",
        `The SSM parameter ${name} does not exist: deploy the warehouse stack, whose host publishes it.`,
        { cause },
      );
    case "AccessDeniedException":
      return new LoadError(
        "fatal",
        `The SSM parameter ${name} may not be read: the role lacks ssm:GetParameter on it or kms:Decrypt.`,
        { cause },
      );
    default:
      return new LoadError(
        "retriable",
        `The SSM parameter ${name} cannot be read (${error.name}: ${error.message}): check the ssm endpoint and its security group.`,
        { cause },
      );
  }
}
