const CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken(Exception)?|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException)$/;
const DENIED = /^(AccessDenied(Exception)?|UnauthorizedOperation|AuthorizationError(Exception)?)$/;
const UNREACHABLE =
  /^(TimeoutError|ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;

/** One sentence on why AWS gave no answer, or null when the error is not of that kind. */
export function explainAwsError(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const kinds = [error.name, "code" in error ? String(error.code) : ""];
  const is = (pattern: RegExp) => kinds.some((kind) => pattern.test(kind));
  if (is(CREDENTIALS))
    return `AWS rejected your credentials (${error.message}): log in, e.g. \`aws sso login\`, or set AWS_PROFILE.`;
  if (is(DENIED)) return `Your credentials may not do this (${error.message}).`;
  if (is(UNREACHABLE))
    return `AWS cannot be reached (${error.message || kinds[1]}): check the network and AWS_ENDPOINT_URL.`;
  return null;
}
