import type { ObjectStore, StoredObject } from "./store.js";

const MAX_KEYS = 1000;

type Entry = { readonly name: string; readonly object: StoredObject | null };

/**
 * The answer to ListObjectsV2.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export function listObjectsV2({ sorted, bucket }: ObjectStore, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const encode = query.get("encoding-type") === "url" ? encodeKey : (key: string) => key;
  const limit = Math.min(Number(query.get("max-keys") ?? MAX_KEYS), MAX_KEYS);

  const found = entriesOf(sorted, { prefix, delimiter, after: afterOf(query), limit: limit + 1 });
  const page = found.slice(0, limit);
  const isTruncated = found.length > limit;
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

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  /** Listed is what comes behind this name. */
  readonly after: string;
  readonly limit: number;
}

/** Keys and, with a delimiter, common prefixes: one order and one limit for both. */
function entriesOf(
  sorted: readonly StoredObject[],
  { prefix, delimiter, after, limit }: Wanted,
): readonly Entry[] {
  const entries: Entry[] = [];
  for (let index = firstFrom(sorted, later(prefix, after)); entries.length < limit; index++) {
    const object = sorted[index];
    if (!object?.key.startsWith(prefix)) break;
    const at = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    const name = at < 0 ? object.key : object.key.slice(0, at + delimiter.length);
    if (compareBytes(name, after) <= 0 || name === entries.at(-1)?.name) continue;
    entries.push({ name, object: at < 0 ? object : null });
  }
  return entries;
}

/** Index of the first object whose key is not before `name`. */
function firstFrom(sorted: readonly StoredObject[], name: string): number {
  const bytes = Buffer.from(name);
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Buffer.compare((sorted[middle] as StoredObject).keyBytes, bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const later = (a: string, b: string): string => (compareBytes(a, b) > 0 ? a : b);

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
