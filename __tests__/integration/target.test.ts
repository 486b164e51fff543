import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { openTarget, type Target } from "../../cli/shared/target.js";
import type { Connection } from "../../connect/connection.js";
import { choosePort } from "../../connect/local-port.js";
import { openCluster } from "../../postgres/cluster.js";
import { PREFERRED_PORT } from "../../postgres/embedded.js";
import { canRead, findBinaries, reachableBinaries, serverUser } from "../../postgres/programs.js";
import { findServer, type RunningServer, stopServer } from "../../postgres/server.js";

const CHILD = fileURLToPath(new URL("../../testing/lab/target-child.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;

describe("the embedded target database", function () {
  this.slow(10_000);
  let scratch: string;
  let root: string;
  let closedPort: number;
  let children: Command[];

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), "target-"));
    chmodSync(scratch, 0o755);
    root = join(scratch, "checkout");
    mkdirSync(root);
    closedPort = await choosePort(0);
  });
  beforeEach(() => {
    children = [];
  });
  afterEach(async () => {
    for (const { child } of children) child.kill("SIGKILL");
    await stopServer(openCluster(folderOf(root)));
  });
  after(() => rmSync(scratch, { recursive: true }));

  const open = (at = root): Promise<Target> =>
    openTarget({ env: {}, root: at, compose: compose(closedPort) });
  const running = (at = root): RunningServer | null => findServer(openCluster(folderOf(at)));
  const command = (): Command => {
    const child = spawn(process.execPath, ["--import", "tsx", CHILD, root, `${closedPort}`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const started = asCommand(child);
    children.push(started);
    return started;
  };

  it("is set up, says where it is, and is gone after the command", async () => {
    const target = await open();
    expect(target.description).to.match(/^embedded PostgreSQL 18 in .*\.local\/postgres, port \d+$/);
    const { rows } = await target.pool.query("SELECT current_database() AS name, version() AS version");
    expect(rows[0].name).to.equal("clickstream_dw");
    expect(rows[0].version).to.match(/^PostgreSQL 18\./);
    await target.pool.query("CREATE TABLE kept AS SELECT 7 AS x");
    await target.close();
    expect(running()).to.equal(null);
  });

  it("uses the same folder at a second start", async () => {
    const target = await open();
    expect((await target.pool.query("SELECT x FROM kept")).rows).to.deep.equal([{ x: 7 }]);
    await target.close();
    await target.close();
  });

  it("flushes what it commits", async () => {
    const target = await open();
    for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
      expect((await target.pool.query(`SHOW ${setting}`)).rows[0][setting], setting).to.equal("on");
    }
    await target.close();
  });

  it("is shared by commands that run at once, and stopped by the last one out", async () => {
    const commands = [command(), command(), command()];
    const ports = await Promise.all(commands.map(async ({ ready }) => (await ready).port));
    expect(new Set(ports).size).to.equal(1);
    const [first, second, third] = commands as [Command, Command, Command];
    await Promise.all([first.finish(), third.finish()]);
    expect(running()?.port).to.equal(ports[0]);
    await second.finish();
    expect(running()).to.equal(null);
    const target = await open();
    expect((await target.pool.query("SELECT DISTINCT pid FROM visits")).rowCount).to.equal(3);
    await target.close();
  });

  it("is joined, and stopped in the end, after a command was killed", async () => {
    const killed = command();
    const { port } = await killed.ready;
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    expect(running()?.port).to.equal(port);
    const target = await open();
    expect(target.connection.port).to.equal(port);
    await target.close();
    expect(running()).to.equal(null);
  });

  it("recovers after the server was killed", async () => {
    const target = await open();
    await target.pool.query("CREATE TABLE survives AS SELECT generate_series(1, 500) AS x");
    await stopServer(openCluster(folderOf(root)), "SIGKILL");
    await target.close();
    const again = await open();
    expect((await again.pool.query("SELECT x FROM survives")).rowCount).to.equal(500);
    await again.close();
  });

  it("starts although the lock file of an unclean stop names a process that lives", async () => {
    const { dataDir } = openCluster(folderOf(root));
    writeFileSync(join(dataDir, "postmaster.pid"), `${process.pid}\n${dataDir}\n1\n54329\n\n127.0.0.1\n`);
    const target = await open();
    expect((await target.pool.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    await target.close();
  });

  it("goes to another port when its own is in use", async () => {
    const blocker = await occupy(PREFERRED_PORT);
    const target = await open();
    expect(target.connection.port).not.to.equal(PREFERRED_PORT);
    await target.pool.query("SELECT 1");
    await target.close();
    blocker?.close();
  });

  it("keeps its password to the user who made it", async () => {
    const target = await open();
    const { password, port } = target.connection;
    const file = join(folderOf(root), "18", "password");
    expect(statSync(file).mode & 0o077).to.equal(0);
    expect(readFileSync(file, "utf8")).to.equal(password);
    const stranger = openTarget({
      env: {
        DWH_HOST: "127.0.0.1",
        DWH_PORT: `${port}`,
        DWH_USER: "postgres",
        DWH_PASSWORD: "guess",
        DWH_DATABASE: "postgres",
      },
    });
    expect(await failure(stranger)).to.include("DWH_PASSWORD");
    await target.close();
  });

  describe("run by root", () => {
    before(function () {
      if (!isRoot) this.skip();
    });

    it("runs the server as another user", async () => {
      const target = await open();
      const status = readFileSync(`/proc/${running()?.pid}/status`, "utf8");
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1])
        .to.equal(`${serverUser().uid}`)
        .and.not.equal("0");
      await target.close();
    });

    it("works in a folder that is closed to that user", async () => {
      const closed = join(scratch, "closed");
      mkdirSync(closed, { mode: 0o700 });
      const target = await open(closed);
      const place = readlinkSync(join(folderOf(closed), "kept-elsewhere"));
      await target.pool.query("CREATE TABLE kept AS SELECT 1 AS x");
      await target.close();
      const again = await open(closed);
      expect((await again.pool.query("SELECT x FROM kept")).rowCount).to.equal(1);
      await again.close();
      rmSync(closed, { recursive: true });
      const long = new Date(Date.now() - 3_600_000);
      utimesSync(place, long, long);
      mkdirSync(closed, { mode: 0o700 });
      const afresh = openCluster(folderOf(closed)); // which forgets what nothing links to any more
      expect(existsSync(place)).to.equal(false);
      rmSync(dirname(dirname(afresh.dataDir)), { recursive: true });
    });

    it("copies the programs when that user cannot read them", () => {
      const modules = join(scratch, "modules");
      const base = join(scratch, "base");
      for (const folder of [modules, base]) mkdirSync(folder);
      const binaries = reachableBinaries(findBinaries(), base, { uid: 1, gid: 1 });
      expect(binaries.root, "readable where they are").to.equal(findBinaries().root);
      const closed = { ...binaries, root: copyOf(binaries.root, modules) };
      chmodSync(modules, 0o700);
      const copy = reachableBinaries(closed, base, serverUser());
      expect(copy.root).to.equal(join(base, `native-${binaries.version}`));
      expect(canRead(serverUser(), join(copy.root, "bin/postgres"))).to.equal(true);
    });
  });
});

interface Command {
  readonly child: ChildProcess;
  readonly ready: Promise<{ port: number }>;
  finish(): Promise<void>;
}

function asCommand(child: ChildProcess & { stdout: NonNullable<ChildProcess["stdout"]> }): Command {
  const exited = once(child, "exit");
  const line = once(createInterface(child.stdout), "line");
  const tooEarly = exited.then(([code]) => {
    throw new Error(`The command ended with ${code}.`);
  });
  tooEarly.catch(() => {});
  return {
    child,
    ready: Promise.race([line.then(([text]) => JSON.parse(text)), tooEarly]),
    finish: async () => {
      child.stdin?.end();
      expect((await exited)[0]).to.equal(0);
    },
  };
}

function copyOf(root: string, parent: string): string {
  const copy = join(parent, "native");
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function folderOf(root: string): string {
  return join(root, ".local", "postgres");
}

function compose(port: number): Connection {
  return { host: "127.0.0.1", port, user: "u", password: "p", database: "d", ssl: "disable", ca: null };
}

/** Null when something else occupies the port already. */
async function occupy(port: number): Promise<Server | null> {
  const server = createServer().listen(port, "127.0.0.1");
  return Promise.race([
    once(server, "listening").then(() => server),
    once(server, "error").then(() => null),
  ]).catch(() => null);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "did not fail",
    (error: Error) => error.message,
  );
}
