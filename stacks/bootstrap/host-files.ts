/** A file of the host. */
export interface HostFile {
  /** Where it lies beside this module. */
  readonly source: string;
  /** Where it goes on the host, below `/`. */
  readonly path: string;
  readonly mode: "0644" | "0755";
}

const LIBRARY = "usr/local/lib/clickstream";
const UNITS = "etc/systemd/system";

/** Each a script with a service and a timer of its name. */
const TASKS = [
  "setup",
  "passwords",
  "migrate",
  "dashboard-update",
  "state",
  "journals",
  "backup",
  "drill",
  "patch",
];
const PARTS = ["lib.sh", "volume.sh", "cluster.sh", "certificate.sh", "roles.sh"];
const SQL = ["role", "database", "warehouse", "web", "migrations", "migration", "state", "drill"];

const text = (source: string, path: string): HostFile => ({ source, path, mode: "0644" });
const script = (name: string): HostFile => ({
  source: `host/${name}`,
  path: `${LIBRARY}/${name}`,
  mode: "0755",
});
const unit = (name: string): HostFile => text(`units/${name}`, `${UNITS}/${name}`);

/** All files of a host, of either role set: one that is not used there is not started. */
export const HOST_FILES: readonly HostFile[] = [
  ...PARTS.map((name) => text(`host/${name}`, `${LIBRARY}/${name}`)),
  ...SQL.map((name) => text(`host/sql/${name}.sql`, `${LIBRARY}/sql/${name}.sql`)),
  ...TASKS.map(script),
  ...TASKS.flatMap((name) => [unit(`clickstream-${name}.service`), unit(`clickstream-${name}.timer`)]),
  unit("clickstream-dashboard.service"),
  text("units/postgresql.conf", `${UNITS}/postgresql.service.d/clickstream.conf`),
];
