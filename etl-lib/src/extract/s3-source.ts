import type { S3Client } from "@aws-sdk/client-s3";
import type { Dispatcher } from "undici";
import { ExtractError } from "../errors.js";
import { SMALL_OBJECT_BYTES } from "../limits.js";
import { DEFAULT_RETRY, type RetryPolicy, retrying } from "../retry.js";
import type { Source, SourceObject, SourcePage } from "../types.js";
import { type ListPage, parseListPage } from "./list-page.js";
import { listError, readError, refusal, statusError } from "./s3-errors.js";
import { SignedGet } from "./signed-get.js";

export interface S3SourceOptions {
  /** Region, credentials, endpoint and path style are taken from it. */
  readonly client: S3Client;
  readonly bucket: string;
  /** Connections kept open for reading. @default 128 */
  readonly connections?: number;
  readonly retry?: RetryPolicy;
}

/** A bucket as a source of events. `close` ends its connections. */
export function s3Source(options: S3SourceOptions): Source & { close(): Promise<void> } {
  return new S3Source(options);
}

/** Behind so many objects that failed with all their retries, the others are not retried until one succeeds. */
const MAX_UNREADABLE = 5;

class S3Source implements Source {
  readonly bucket: string;
  readonly #get: SignedGet;
  readonly #retry: RetryPolicy;
  /** Objects in a row that failed with all their retries. */
  #unreadable = 0;

  constructor({ client, bucket, connections = 128, retry = DEFAULT_RETRY }: S3SourceOptions) {
    this.bucket = bucket;
    this.#get = new SignedGet(client, bucket, connections);
    this.#retry = retry;
  }

  async *list(prefix: string, { shallow = false } = {}): AsyncGenerator<SourcePage> {
    let token: string | undefined;
    do {
      const page = await retrying(this.#retry, () => this.#listPage(prefix, shallow, token));
      yield page;
      token = page.next;
    } while (token);
  }

  async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#read(object);
      this.#unreadable = 0;
    } catch (error) {
      if ((error as ExtractError).kind === "retriable") this.#unreadable++;
      throw error;
    }
  }

  /** Resumes a large object where its transfer broke off; `If-Match` holds it to the version that was listed. */
  async *#read(object: SourceObject): AsyncGenerator<Uint8Array> {
    const retry = this.#unreadable < MAX_UNREADABLE ? this.#retry : { ...this.#retry, retries: 0 };
    if (object.size <= SMALL_OBJECT_BYTES) {
      yield await retrying(retry, () => this.#readWhole(object));
      return;
    }
    let offset = 0;
    for (let retriesLeft = retry.retries; ; retriesLeft--) {
      try {
        const body = await retrying(retry, () => this.#open(object, offset));
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          offset += chunk.length;
          yield chunk;
        }
        return;
      } catch (cause) {
        const error = cause instanceof ExtractError ? cause : readError(cause, object);
        if (offset >= object.size) return; // it broke off behind the last byte
        if (error.kind !== "retriable" || retriesLeft === 0) throw error;
      }
    }
  }

  close(): Promise<void> {
    return this.#get.close();
  }

  async #listPage(prefix: string, shallow: boolean, token: string | undefined): Promise<ListPage> {
    try {
      const { statusCode, body } = await this.#get.query({
        "list-type": "2",
        prefix,
        // Without it a key with a control character breaks the XML of its whole page.
        "encoding-type": "url",
        ...(shallow && { delimiter: "/" }),
        ...(token && { "continuation-token": token }),
      });
      const text = await body.text();
      if (statusCode === 200) return parseListPage(text, this.bucket);
      throw refusal(statusCode, text);
    } catch (cause) {
      throw listError(cause, this.bucket);
    }
  }

  async #readWhole(object: SourceObject): Promise<Uint8Array> {
    const body = await this.#open(object, 0);
    try {
      return new Uint8Array(await body.arrayBuffer());
    } catch (cause) {
      throw readError(cause, object);
    }
  }

  async #open(object: SourceObject, offset: number): Promise<Dispatcher.ResponseData["body"]> {
    const headers = { "if-match": `"${object.etag}"`, ...(offset > 0 && { range: `bytes=${offset}-` }) };
    const response = await this.#get.get(object.key, headers).catch((cause) => {
      throw readError(cause, object);
    });
    if (response.statusCode === (offset > 0 ? 206 : 200)) return response.body;
    const text = await response.body.text().catch(() => "");
    throw statusError(response.statusCode, text, object);
  }
}
