import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A control group that holds one process to its memory, as the sandbox of Lambda does: above it the kernel kills. */
export interface MemoryLimit {
  /** A process that writes its id here is held; `/dev/null` where this machine lets nobody make a group. */
  readonly procs: string;
  remove(): void;
}

const MIB = 1024 * 1024;
const ROOTS = [
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" }, // version 1
  { folder: "/sys/fs/cgroup", limit: "memory.max" },
];
let made = 0;

export function limitMemory(mb: number): MemoryLimit {
  for (const { folder, limit } of ROOTS) {
    const group = join(folder, `clickstream-e2e-${process.pid}-${made++}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    if (existsSync(join(group, limit))) {
      writeFileSync(join(group, limit), `${mb * MIB}`);
      return { procs: join(group, "cgroup.procs"), remove: () => removeGroup(group) };
    }
    removeGroup(group);
  }
  return { procs: "/dev/null", remove: () => {} };
}

/** A group is gone a moment after its last process. */
function removeGroup(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // it goes with the machine
  }
}

/** The most memory that the process has ever had resident, in MiB; 0 when it is gone. */
export function peakMemory(pid: number): number {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.ceil(Number(kib ?? 0) / 1024);
  } catch {
    return 0;
  }
}
