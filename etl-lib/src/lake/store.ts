/** Where the lake's files lie: a bucket or a folder. Keys are relative to it. */
export interface LakeStore {
  /** For people: `s3://bucket/lake`, or a path. */
  readonly location: string;
  /** Begins a file of which nothing is to be seen until it is closed. */
  create(key: string): Promise<LakeUpload>;
  /** @throws {LakeError} also when there is no such file */
  open(key: string): Promise<LakeFile>;
  /** Makes a closed file another's replacement: a reader of `to` sees all of the old one or all of the new one. */
  publish(from: string, to: string): Promise<StoredFile>;
  remove(key: string): Promise<void>;
}

export interface LakeUpload {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Leaves nothing behind. Never throws. */
  abort(): Promise<void>;
}

/** As `hyparquet` reads a file. */
export interface LakeFile {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

export interface StoredFile {
  readonly etag: string;
  readonly bytes: number;
}
