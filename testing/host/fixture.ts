import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { readMigrations } from "etl-lib/migrations";
import type { Context } from "mocha";
import pg from "pg";
import { type BootstrapProps, renderHostFiles, renderUserData } from "../../stacks/bootstrap/render.js";
import { HOST_FILES_KEY } from "../../stacks/names.js";
import { missingForWarehouseHost, WarehouseHost, type WarehouseHostOptions } from "./host.js";

/** The client network of a scratch host; 127.0.0.1 is where a tunnel ends. */
export const FUNCTION_ADDRESS = "127.0.0.2";
export const TUNNEL_ADDRESS = "127.0.0.1";

export const PREFIX = "/sbw/test/dwh";
export const BUCKET = "artifacts";

/** With every character that a shell, SQL, systemd or psql treats as special. */
export const PASSWORDS: Readonly<Record<string, string>> = {
  dwh_owner: "owner'\"$HOME`id`\\ #;&%d",
  etl_writer: "writer:'); DROP ROLE etl_writer; --",
  dashboard_reader: 'reader $(id) `id` "x" \\n & %h',
  analyst: "analyst's $1 \\' %",
  web_app: "web-app-secret",
};

/** Skips a test, or fails it where the machine is to have everything (`REQUIRE_AWS_TESTS=1`). */
export function skipWithout(context: Context, missing: string | null): void {
  if (missing === null) return;
  if (process.env.REQUIRE_AWS_TESTS === "1") throw new Error(missing);
  console.log(`      skipped: ${missing}`);
  context.skip();
}

/** For a `before` hook: see {@link skipWithout}. */
export function skipWithoutHost(context: Context): void {
  skipWithout(context, missingForWarehouseHost());
}

export function userData(props: Partial<BootstrapProps> = {}): string {
  return renderUserData({
    region: "ap-southeast-1",
    database: "clickstream_dw",
    roleSet: "warehouse",
    parameterPrefix: PREFIX,
    artifactsBucket: BUCKET,
    clientCidrs: [`${FUNCTION_ADDRESS}/32`],
    address: FUNCTION_ADDRESS,
    dataDevice: "/dev/sdf",
    ...props,
  });
}

/** A host that was not booted yet, with its passwords in the parameters, its files and etl-lib's migrations in the bucket. */
export async function createHost(
  props: Partial<BootstrapProps> = {},
  options: Partial<WarehouseHostOptions> = {},
): Promise<WarehouseHost> {
  const host = await WarehouseHost.create({ userData: userData(props), ...options });
  for (const [role, password] of Object.entries(PASSWORDS)) await setPassword(host, role, password);
  await host.putObject(BUCKET, HOST_FILES_KEY, renderHostFiles());
  for (const { name, path } of readMigrations())
    await host.putObject(BUCKET, `migrations/${name}`, await readFile(path));
  return host;
}

/** A host that went through its first boot without a fault. The tests are skipped where none can be made. */
export async function bootedHost(
  context: Context,
  ...options: Parameters<typeof createHost>
): Promise<{ host: WarehouseHost; log: string }> {
  skipWithoutHost(context);
  const host = await createHost(...options);
  const { status, log } = await host.boot();
  expect(status, log).to.equal(0);
  return { host, log };
}

/**
 * A host whose cluster is of Debian's PostgreSQL, older than the host's own programs would make: its initdb lacks options of
 * 18, so the cluster is laid before the boot, which then keeps it.
 */
export async function createDebianHost(programs: string): Promise<WarehouseHost> {
  const host = await createHost({}, { serverPrograms: programs });
  execFileSync("mkfs.ext4", ["-q", "-F", host.device]);
  const data = join(host.volume, "data");
  await mkdir(data);
  execFileSync("chown", ["postgres", host.volume, data]);
  const options = ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=peer"];
  execFileSync("runuser", ["-u", "postgres", "--", join(programs, "initdb"), ...options], {
    cwd: "/",
    stdio: "ignore",
  });
  return host;
}

export async function setPassword(host: WarehouseHost, role: string, password: string): Promise<void> {
  const name = role.endsWith("_owner") ? "owner" : role.replaceAll("_", "-");
  await host.setParameter(`${PREFIX}/${name}-password`, password);
}

/** How a test comes in; the defaults are the function's: etl_writer from its address, over verified TLS. */
export interface Visit {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly from?: string;
  readonly ssl?: false | { readonly ca: string; readonly host?: string };
}

/** What node-postgres needs for a visit. */
export async function connection(host: WarehouseHost, visit: Visit): Promise<pg.ClientConfig> {
  const { user = "etl_writer", database = "clickstream_dw", from = FUNCTION_ADDRESS } = visit;
  const ssl = visit.ssl ?? { ca: await host.parameter(`${PREFIX}/certificate`) };
  return {
    host: FUNCTION_ADDRESS,
    port: host.port,
    user,
    password: visit.password ?? PASSWORDS[user] ?? "none",
    database,
    // node-postgres does not say which address the certificate has to be for.
    ssl: ssl === false ? false : { host: FUNCTION_ADDRESS, ...ssl },
    stream: () => new BoundSocket(from),
  };
}

/** Runs statements on one connection and gives back the rows of the last. */
export async function visit(
  host: WarehouseHost,
  visit: Visit,
  ...statements: string[]
): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client(await connection(host, visit));
  client.on("error", () => {});
  try {
    await client.connect();
    let rows: pg.QueryResultRow[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Comes from an address of its own on loopback. */
class BoundSocket extends Socket {
  constructor(private readonly from: string) {
    super();
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    return super.connect({ port, host, localAddress: this.from });
  }
}

/** The error that a promise ends with. @throws when it succeeds */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It was let in.");
}
