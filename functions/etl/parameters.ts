import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";

/** An SSM parameter cannot be read. The message names it and what to check. */
export class ParameterError extends Error {
  override readonly name = "ParameterError";
}

/** The parameter's value, decrypted. @throws {ParameterError} */
export async function readParameter(ssm: SSMClient, name: string): Promise<string> {
  const answer = await ssm
    .send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    .catch((cause: unknown) => {
      throw new ParameterError(explain(name, cause), { cause });
    });
  const value = answer.Parameter?.Value;
  if (!value) throw new ParameterError(`The SSM parameter ${name} is empty.`);
  return value;
}

function explain(name: string, cause: unknown): string {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  switch (error.name) {
    case "ParameterNotFound":
      return `The SSM parameter ${name} does not exist: deploy the warehouse stack, whose host publishes it.`;
    case "AccessDeniedException":
      return `The SSM parameter ${name} may not be read: the role lacks ssm:GetParameter on it or kms:Decrypt.`;
    default:
      return `The SSM parameter ${name} cannot be read (${error.name}: ${error.message}): check the ssm endpoint and its security group.`;
  }
}
