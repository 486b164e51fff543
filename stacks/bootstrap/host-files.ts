/** A file of the host, carried in its user data. */
export interface HostFile {
  /** Where it lies beside this module. */
  readonly source: string;
  /** Where it goes on the host, below `/`. */
  readonly path: string;
  readonly mode: "0644" | "0755";
}

export const HOST_FILES: readonly HostFile[] = [];
