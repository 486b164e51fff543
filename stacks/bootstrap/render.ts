import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ARTIFACTS, HOST_FILES_KEY, PORTS } from "../names.js";
import { HOST_FILES } from "./host-files.js";

/** What a PostgreSQL host is given at its first boot. Every value is a plain string or a Terraform token. */
export interface BootstrapProps {
  /** Region of the parameters and the bucket, `ap-southeast-1`. */
  readonly region: string;
  /** Name of the database to make, `clickstream_dw`. */
  readonly database: string;
  /** `warehouse`: dwh_owner, etl_writer, dashboard_reader, analyst, migrations and the dashboard; `web`: web_owner and web_app. */
  readonly roleSet: "warehouse" | "web";
  /**
   * SSM path without a trailing slash, `/clickstream/production/dwh`. The host reads the SecureStrings `owner-password` and, for
   * a warehouse, `etl-writer-password`, `dashboard-reader-password` and `analyst-password`; for a web database `web-app-password`. It
   * writes the String `certificate`: the PEM of the authority that clients verify the server with.
   */
  readonly parameterPrefix: string;
  /** Bucket of the migrations, the dashboard bundle and the backups. */
  readonly artifactsBucket: string;
  /** Networks whose clients may log in, over TLS, as etl_writer (web: web_app). */
  readonly clientCidrs: readonly string[];
  /** Address of the host that clients connect to: the server certificate's subject alternative name. */
  readonly address: string;
  /** Device name the data volume is attached as, `/dev/sdf`; found by its NVMe name where there is one. */
  readonly dataDevice: string;
  /** @default "5432" */
  readonly port?: string;
  /** Numbered SQL files in the bucket. @default "migrations/" */
  readonly migrationsPrefix?: string;
  /** `dashboard-runtime.tar.zst` and its `.sha256` in the bucket. @default "dashboard/" */
  readonly dashboardPrefix?: string;
  /** Port on loopback that the dashboard listens on. @default "3838" */
  readonly dashboardPort?: string;
  /** Where the nightly dumps go in the bucket. @default "backups/" */
  readonly backupsPrefix?: string;
  /** Where the journal goes in the bucket. @default "journals/" */
  readonly journalsPrefix?: string;
}

const BOUNDARY = "==clickstream-first-boot==";
const CLOUD_CONFIG = "#cloud-config\ncloud_final_modules:\n- [scripts-user, always]\n";

/** A shell script that lays every file of the host by first-boot.sh's `put`: an object of the artifacts bucket. */
export function renderHostFiles(): string {
  return HOST_FILES.map(({ source, path, mode }) => put(path, mode, read(source))).join("\n");
}

/**
 * Cloud-init user data (MIME multi-part, ASCII): the first-boot script with the SHA-256 of the host's files, and the
 * setting that makes cloud-init run it again at each boot.
 * @throws {Error} when a value could break out of its quotes, or is empty.
 */
export function renderUserData(props: BootstrapProps): string {
  return compose(props, (text) => text);
}

/**
 * The same as {@link renderUserData}, written as a Terraform template: the script's own `${` and `%{` are escaped
 * and the tokens in `props` are not, so that it can stand in a local value or an attribute.
 */
export function renderUserDataTemplate(props: BootstrapProps): string {
  return compose(props, (text) => text.replaceAll("${", () => "$${").replaceAll("%{", "%%{"));
}

function compose(props: BootstrapProps, escaped: (text: string) => string): string {
  const script = [
    escaped(read("first-boot.sh")),
    put("etc/clickstream/host.env", "0644", environment(props)),
    "main\n",
  ].join("\n");
  return [
    `Content-Type: multipart/mixed; boundary="${BOUNDARY}"\nMIME-Version: 1.0\n`,
    part("text/cloud-config", CLOUD_CONFIG),
    part("text/x-shellscript", script),
    `--${BOUNDARY}--\n`,
  ].join("\n");
}

const part = (type: string, body: string): string =>
  `--${BOUNDARY}\nContent-Type: ${type}; charset="us-ascii"\n\n${body}`;

const put = (path: string, mode: string, text: string): string =>
  `put ${path} ${mode} <<'END_OF_FILE'\n${text}END_OF_FILE\n`;

const read = (source: string): string => readFileSync(new URL(source, import.meta.url), "utf8");

function environment(props: BootstrapProps): string {
  const values: Record<string, string> = {
    AWS_DEFAULT_REGION: props.region,
    DATABASE: props.database,
    ROLE_SET: props.roleSet,
    PARAMETER_PREFIX: props.parameterPrefix,
    ARTIFACTS_BUCKET: props.artifactsBucket,
    HOST_FILES_KEY,
    HOST_FILES_SHA256: createHash("sha256").update(renderHostFiles()).digest("hex"),
    CLIENT_CIDRS: props.clientCidrs.join(" "),
    ADDRESS: props.address,
    DATA_DEVICE: props.dataDevice,
    PORT: props.port ?? String(PORTS.postgres),
    MIGRATIONS_PREFIX: props.migrationsPrefix ?? `${ARTIFACTS.migrations}/`,
    DASHBOARD_PREFIX: props.dashboardPrefix ?? `${ARTIFACTS.dashboard}/`,
    DASHBOARD_PORT: props.dashboardPort ?? String(PORTS.shiny),
    BACKUPS_PREFIX: props.backupsPrefix ?? `${ARTIFACTS.backups}/`,
    JOURNALS_PREFIX: props.journalsPrefix ?? `${ARTIFACTS.journals}/`,
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}='${quotable(key, value)}'\n`)
    .join("");
}

function quotable(key: string, value: string): string {
  if (/^[^'\\\p{Cc}]+$/u.test(value)) return value;
  throw new Error(
    `${key} of the host's first boot must be text without quotes, backslashes or line breaks, not ${JSON.stringify(value)}`,
  );
}
