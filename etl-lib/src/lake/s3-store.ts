import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { LakeError } from "../errors.js";
import type { LakeFile, LakeStore, LakeUpload, StoredFile } from "./store.js";

/** S3 wants 5 MiB of each part but the last, and takes 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024;

/** A lake in a bucket. @param prefix without a slash at its end */
export function s3Lake(client: S3Client, bucket: string, prefix: string): LakeStore {
  return new S3Lake(client, bucket, prefix);
}

class S3Lake implements LakeStore {
  constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
    private readonly prefix: string,
  ) {}

  get location(): string {
    return `s3://${this.bucket}/${this.prefix}`;
  }

  async create(key: string): Promise<LakeUpload> {
    const place = this.#place(key);
    const { UploadId } = await this.#told(() => this.client.send(new CreateMultipartUploadCommand(place)));
    return new MultipartUpload(
      async (PartNumber, Body) => {
        const command = new UploadPartCommand({ ...place, UploadId, PartNumber, Body });
        const { ETag } = await this.#told(() => this.client.send(command));
        return { PartNumber, ETag };
      },
      async (Parts) => {
        const command = new CompleteMultipartUploadCommand({
          ...place,
          UploadId,
          MultipartUpload: { Parts },
        });
        await this.#told(() => this.client.send(command));
      },
      async () => {
        // What stays, the bucket's own rule for abandoned uploads removes.
        await this.client
          .send(new AbortMultipartUploadCommand({ ...place, UploadId }))
          .catch(() => undefined);
      },
    );
  }

  async open(key: string): Promise<LakeFile> {
    const place = this.#place(key);
    const { ContentLength = 0, ETag } = await this.#told(
      () => this.client.send(new HeadObjectCommand(place)),
      key,
    );
    return {
      byteLength: ContentLength,
      slice: (start, end = ContentLength) =>
        this.#told(async () => {
          const Range = `bytes=${start}-${end - 1}`;
          const { Body } = await this.client.send(new GetObjectCommand({ ...place, Range, IfMatch: ETag }));
          const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
          return bytes.slice().buffer;
        }, key),
    };
  }

  async publish(from: string, to: string): Promise<StoredFile> {
    const CopySource = `${this.bucket}/${encodeURI(this.#place(from).Key)}`;
    const place = this.#place(to);
    await this.#told(() => this.client.send(new CopyObjectCommand({ ...place, CopySource })), from);
    const { ETag = "", ContentLength = 0 } = await this.#told(
      () => this.client.send(new HeadObjectCommand(place)),
      to,
    );
    await this.remove(from);
    return { etag: ETag.replaceAll('"', ""), bytes: ContentLength };
  }

  async remove(key: string): Promise<void> {
    await this.#told(() => this.client.send(new DeleteObjectCommand(this.#place(key))));
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: `${this.prefix}/${key}` };
  }

  async #told<T>(work: () => Promise<T>, key = ""): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw this.#explain(cause as Error, key);
    }
  }

  /** A HEAD is answered without a body, and so without a name of what is not there. */
  #explain(cause: Error, key: string): LakeError {
    const { name, message } = cause;
    const { bucket } = this;
    if (name === "NoSuchBucket")
      return new LakeError("fatal", `The lake's bucket ${bucket} does not exist: check LAKE_BUCKET.`, {
        cause,
      });
    if (name === "AccessDenied" || name === "Forbidden" || name === "403")
      return new LakeError(
        "fatal",
        `The lake's bucket ${bucket} refuses access: check LAKE_BUCKET, the role's policy and the endpoint's.`,
        { cause },
      );
    if (name === "NoSuchKey" || name === "NotFound")
      return new LakeError("fatal", `The lake has no file ${this.location}/${key}.`, { cause });
    return new LakeError("retriable", `The lake's bucket ${bucket} failed (${name}: ${message}).`, { cause });
  }
}

/** Parts of one size, whatever is written at a time. */
class MultipartUpload implements LakeUpload {
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  readonly #parts: CompletedPart[] = [];

  constructor(
    private readonly send: (number: number, bytes: Uint8Array) => Promise<CompletedPart>,
    private readonly complete: (parts: CompletedPart[]) => Promise<void>,
    readonly abort: () => Promise<void>,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= PART_BYTES) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    await this.complete(this.#parts);
  }

  async #flush(): Promise<void> {
    const part = Buffer.concat(this.#waiting);
    [this.#waiting, this.#bytes] = [[], 0];
    this.#parts.push(await this.send(this.#parts.length + 1, part));
  }
}
