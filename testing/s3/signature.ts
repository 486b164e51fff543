import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Whether the request carries this account's signature, version 4, as S3 computes it: on the key it understood, so
 * that a client that names another key than it signed is refused.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function isSigned(req: IncomingMessage, account: Account): boolean {
  const match = AUTHORIZATION.exec(req.headers.authorization ?? "");
  if (!match) return false;
  const [, accessKeyId, scope = "", signedHeaders = "", signature] = match;
  const toSign = [
    "AWS4-HMAC-SHA256",
    req.headers["x-amz-date"],
    scope,
    createHash("sha256").update(canonicalRequest(req, signedHeaders)).digest("hex"),
  ].join("\n");
  let key: Buffer | string = `AWS4${account.secretAccessKey}`;
  for (const part of [...scope.split("/"), toSign]) key = createHmac("sha256", key).update(part).digest();
  return accessKeyId === account.accessKeyId && (key as Buffer).toString("hex") === signature;
}

function canonicalRequest(req: IncomingMessage, signedHeaders: string): string {
  const [path = "", query = ""] = (req.url as string).split("?", 2);
  const headers = signedHeaders.split(";").map((name) => `${name}:${String(req.headers[name]).trim()}\n`);
  return [
    req.method,
    path.split("/").map(reencode).join("/"),
    query
      .split("&")
      .filter((parameter) => parameter !== "")
      .map((parameter) => {
        const [name = "", value = ""] = parameter.split("=", 2);
        return `${reencode(name)}=${reencode(value)}`;
      })
      .sort()
      .join("&"),
    headers.join(""),
    signedHeaders,
    req.headers["x-amz-content-sha256"],
  ].join("\n");
}

const reencode = (text: string): string =>
  encodeURIComponent(decodeURIComponent(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
