import type { StoredObject } from "./memory-store.js";

const MAX_KEYS = 1000;

type Entry = { readonly name: string; readonly object: StoredObject | null };

/**
 * The answer to ListObjectsV2. s3rver's own lists by the order of files, knows no `encoding-type` and makes its page
 * tokens with a cipher that OpenSSL 3 has no more.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export function listObjectsV2(
  objects: Iterable<StoredObject>,
  bucket: string,
  query: URLSearchParams,
): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const encode = query.get("encoding-type") === "url" ? encodeKey : (key: string) => key;
  const after = afterOf(query);
  const limit = Math.min(Number(query.get("max-keys") ?? MAX_KEYS), MAX_KEYS);

  const entries = entriesOf(objects, prefix, delimiter).filter(({ name }) => isBehind(name, after));
  const page = entries.slice(0, limit);
  const isTruncated = entries.length > limit;
  const token = isTruncated && page.length > 0 ? tokenOf((page.at(-1) as Entry).name) : undefined;
  const key = (text: string) => escapeXml(encode(text));
  return `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${key(prefix)}</Prefix>${
    delimiter && `<Delimiter>${key(delimiter)}</Delimiter>`
  }${query.has("encoding-type") ? "<EncodingType>url</EncodingType>" : ""}${
    token ? `<NextContinuationToken>${token}</NextContinuationToken>` : ""
  }<KeyCount>${page.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${page
    .map(({ name, object }) =>
      object
        ? `<Contents><Key>${key(name)}</Key><LastModified>${object.lastModified.toISOString()}</LastModified><ETag>&quot;${object.etag}&quot;</ETag><Size>${object.body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
        : `<CommonPrefixes><Prefix>${key(name)}</Prefix></CommonPrefixes>`,
    )
    .join("")}</ListBucketResult>`;
}

/** Keys and, with a delimiter, common prefixes: one order and one limit for both. */
function entriesOf(objects: Iterable<StoredObject>, prefix: string, delimiter: string): Entry[] {
  const entries = new Map<string, Entry>();
  for (const object of objects) {
    if (!object.key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    const name = at < 0 ? object.key : object.key.slice(0, at + delimiter.length);
    entries.set(name, { name, object: at < 0 ? object : null });
  }
  return [...entries.values()].sort((a, b) => compareBytes(a.name, b.name));
}

/** S3 orders keys by their UTF-8 bytes. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const isBehind = (name: string, after: string): boolean => after === "" || compareBytes(name, after) > 0;

function afterOf(query: URLSearchParams): string {
  const token = query.get("continuation-token");
  return token ? Buffer.from(token, "base64").toString() : (query.get("start-after") ?? "");
}

const tokenOf = (name: string): string => Buffer.from(name).toString("base64");

const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+");

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
