import { ExtractError } from "../errors.js";
import type { SourceObject } from "../types.js";

/** S3's own answer to a request that it refused; `name` is its code. */
interface Refusal extends Error {
  readonly status?: number;
}

export function refusal(status: number, body: string): Refusal {
  const name = /<Code>([^<]+)/.exec(body)?.[1] ?? `HTTP ${status}`;
  return Object.assign(new Error(/<Message>([^<]+)/.exec(body)?.[1] ?? "no reason given"), { name, status });
}

const RETRIABLE_CODES =
  /^(SlowDown|Throttling|ThrottlingException|RequestTimeout|InternalError|ServiceUnavailable)$/;

const CREDENTIALS_CODES =
  /^(ExpiredToken|TokenRefreshRequired|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|RequestTimeTooSkewed)$/;

/** The error of a ListObjectsV2 call. */
export function listError(cause: unknown, bucket: string): ExtractError {
  const { name, message, status } = cause as Refusal;
  if (name === "NoSuchBucket")
    return fatal(`The bucket ${bucket} does not exist: check RAW_BUCKET or --source.`, cause);
  if (status === 403)
    return fatal(
      `S3 refused to list ${bucket} (${name}): allow s3:ListBucket, or check the credentials.`,
      cause,
    );
  if (status === 301 || name === "PermanentRedirect")
    return fatal(`The bucket ${bucket} lies in another region: check AWS_REGION.`, cause);
  if (name === "CredentialsProviderError")
    return fatal(
      `No AWS credentials were found to read ${bucket}: set AWS_PROFILE or AWS_ACCESS_KEY_ID.`,
      cause,
    );
  if (status !== undefined && status < 500 && status !== 429 && !RETRIABLE_CODES.test(name))
    return fatal(`S3 refused to list ${bucket}: ${name}: ${message}`, cause);
  return new ExtractError("retriable", `S3 did not list ${bucket}: ${name}: ${message}`, { cause });
}

/** The error of a transfer that broke off, or never came about. */
export function readError(cause: unknown, object: SourceObject): ExtractError {
  const { name, message } = cause as Error;
  if (name === "CredentialsProviderError")
    return fatal(`No AWS credentials were found: ${message}`, cause, object);
  return new ExtractError("retriable", `S3 did not deliver ${object.key}: ${message}`, {
    cause,
    object: nameOf(object),
  });
}

/** The error that an answer other than 200 is. */
export function statusError(status: number, body: string, object: SourceObject): ExtractError {
  const code = /<Code>([^<]+)/.exec(body)?.[1] ?? `HTTP ${status}`;
  if (CREDENTIALS_CODES.test(code))
    return fatal(
      `S3 refused the credentials for ${object.key} (${code}): renew them, or check the clock.`,
      undefined,
      object,
    );
  if (status === 404 || status === 412)
    return new ExtractError("changed", `${object.key} was replaced or removed since it was listed.`, {
      object: nameOf(object),
    });
  if (status >= 500 || status === 429 || RETRIABLE_CODES.test(code))
    return new ExtractError("retriable", `S3 answered ${code} for ${object.key}.`, {
      object: nameOf(object),
    });
  return fatal(`S3 refused to deliver ${object.key} (${code}): allow s3:GetObject on it.`, undefined, object);
}

const nameOf = (object: SourceObject): string => `${object.bucket}/${object.key}`;

const fatal = (message: string, cause: unknown, object?: SourceObject) =>
  new ExtractError("fatal", message, { cause, ...(object && { object: nameOf(object) }) });
