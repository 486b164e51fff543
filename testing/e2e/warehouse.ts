import { execFileSync } from "node:child_process";
import { createWriteStream, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type HostTask, WarehouseHost, type WarehouseHostOptions } from "../host/host.js";

const DATABASE = "clickstream_dw";
const STOP_MS = 20_000;

/** The warehouse's host, booted, with what an accident may do to it. */
export class DeployedWarehouse {
  /** The superuser's, over the socket of the host: what root on the host sees. */
  readonly db: pg.Pool;

  private constructor(readonly host: WarehouseHost) {
    this.db = new pg.Pool({
      host: join(host.root, "run/postgresql"),
      port: host.port,
      user: "postgres",
      database: DATABASE,
      max: 4,
    });
    this.db.on("error", () => {});
  }

  static async boot(options: WarehouseHostOptions): Promise<DeployedWarehouse> {
    const host = await WarehouseHost.create(options);
    const { status, log } = await host.boot();
    if (status === 0) return new DeployedWarehouse(host);
    await host.stop();
    throw new Error(`The warehouse's first boot failed: ${log}`);
  }

  /** `fast`: clients are disconnected; `immediate`: as a crash, recovered at the next start. */
  async stopPostgres(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const pid = this.#postmaster();
    if (pid === null) return;
    process.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
    for (let waited = 0; waited < STOP_MS; waited += 50) {
      if (!existsSync(`/proc/${pid}`)) return;
      await sleep(50);
    }
    throw new Error(`PostgreSQL did not stop within ${STOP_MS} ms.`);
  }

  startPostgres(): void {
    if (this.#postmaster() !== null) return;
    const program = join(dirname(this.host.root), "programs/pg_ctl");
    const log = join(this.host.root, "var/log/postgresql.log");
    const command = [program, "-D", this.#data, "-l", log, "-w", "start"];
    execFileSync("runuser", ["-u", "postgres", "--", ...command], { cwd: "/", stdio: "ignore" });
  }

  /** The daily set-up of the host: picks up rotated passwords, renews and publishes the certificate. */
  setup(): Promise<void> {
    return this.#run("setup");
  }

  /** What the host does every two minutes. */
  takeUpPasswords(): Promise<void> {
    return this.#run("passwords");
  }

  async #run(task: HostTask): Promise<void> {
    const { status, log } = await this.host.run(task);
    if (status !== 0) throw new Error(log);
  }

  /** As a host that lost its authority: the next set-up makes another. */
  forgetAuthority(): void {
    rmSync(join(this.host.volume, "tls"), { recursive: true });
  }

  /** Ends every connection of the function: it has to log in again. */
  async disconnectFunctions(): Promise<void> {
    await this.db.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'etl_writer'",
    );
  }

  /** Until nothing more fits on the data volume. @returns gives the space back */
  async fillDisk(): Promise<() => void> {
    const filler = join(this.host.volume, "filler");
    const block = Buffer.alloc(1024 * 1024);
    const endless = Readable.from(
      (function* () {
        for (;;) yield block;
      })(),
    );
    await pipeline(endless, createWriteStream(filler)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOSPC") throw error;
    });
    return () => rmSync(filler, { force: true });
  }

  async stop(): Promise<void> {
    await this.db.end();
    await this.host.stop();
  }

  get #data(): string {
    return join(this.host.root, "var/lib/pgsql/data");
  }

  #postmaster(): number | null {
    const file = join(this.#data, "postmaster.pid");
    if (!existsSync(file)) return null;
    const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
    return existsSync(`/proc/${pid}`) ? pid : null;
  }
}
