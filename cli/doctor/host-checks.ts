import { DescribeVpcEndpointsCommand, type VpcEndpoint } from "@aws-sdk/client-ec2";
import {
  HOST_LIMITS,
  HOST_METRICS,
  METRICS_DIMENSION,
  METRICS_NAMESPACE,
} from "../../functions/etl/contract.js";
import { endpointName, interfaceServices } from "../../stacks/names.js";
import type { Condition } from "../deployed/host.js";
import { inspectAgent, inspectInstance } from "../deployed/host.js";
import { duration } from "../shared/format.js";
import { type Check, DAY, fails, holds, type Subject } from "./check.js";
import { newestPoint } from "./metrics.js";

const instance: Check = { name: "instance", inspect: ({ deployed }) => inspectInstance(deployed) };
const agent: Check = { name: "session manager", inspect: ({ deployed }) => inspectAgent(deployed) };
const endpoints: Check = { name: "endpoints", inspect: inspectEndpoints };
const state: Check = { name: "host state", inspect: inspectState };

/** The host, and the only ways from the private subnet to AWS. */
export const HOST_CHECKS: readonly Check[] = [instance, agent, endpoints, state];

type HostFigure = keyof typeof HOST_LIMITS;

/** How the host's own figures read, and what helps where one is beyond its limit. */
const FIGURES: {
  readonly [name in HostFigure]: { say(value: number): string; readonly fix: string };
} = {
  stateAge: {
    say: (seconds) => `it wrote its state ${duration(seconds * 1000)} ago`,
    fix: "on the host: sudo systemctl start clickstream-state",
  },
  dataUsed: {
    say: (percent) => `the data volume is ${whole(percent)} % full`,
    fix: "raise warehouseDataGb and deploy",
  },
  rootUsed: {
    say: (percent) => `the root disk is ${whole(percent)} % full`,
    fix: "see what fills it: du -xh / on the host",
  },
  memoryUsed: {
    say: (percent) => `${whole(percent)} % of the memory is in use`,
    fix: "raise warehouseInstanceType",
  },
  connectionsUsed: {
    say: (percent) => `${whole(percent)} % of PostgreSQL's connections are in use`,
    fix: "see whose they are: SELECT usename, application_name, state FROM pg_stat_activity",
  },
  failedUnits: {
    say: (units) => (units === 1 ? "1 unit failed" : `${units || "no"} units failed`),
    fix: "see which and why: SELECT failed_units, journal_errors FROM etl.host_state ORDER BY at DESC LIMIT 1",
  },
  backupAge: {
    say: (seconds) => `the last dump is ${duration(seconds * 1000)} old`,
    fix: "on the host: sudo systemctl start clickstream-backup",
  },
  deadRows: {
    say: (percent) => `${whole(percent)} % of the rows are dead`,
    fix: "see where: SELECT relname, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY 2 DESC; VACUUM that table",
  },
  certificateLeft: {
    say: (days) => `the server's certificate is good for ${whole(days)} days`,
    fix: "on the host: sudo systemctl start clickstream-setup",
  },
};

const whole = (percent: number): string => percent.toFixed(0);

/** Checks of their own say as much of these while all is well. */
const HAS_OWN_CHECK: readonly HostFigure[] = ["backupAge", "certificateLeft"];

const isBeyond = (value: number, limit: { above: number } | { below: number }): boolean =>
  "above" in limit ? value > limit.above : value < limit.below;

/** What the host wrote of itself, as the function's last run passed it on. */
async function inspectState({ deployed, now }: Subject): Promise<Condition> {
  const service = await deployed.output("scheduler", "function_name");
  const names = Object.keys(HOST_LIMITS) as HostFigure[];
  const points = await Promise.all(
    names.map(async (name) => ({
      name,
      point: await newestPoint(deployed.clients.cloudwatch, {
        namespace: METRICS_NAMESPACE,
        metric: HOST_METRICS[name],
        dimensions: { [METRICS_DIMENSION]: service },
        from: new Date(now.getTime() - DAY),
        to: now,
      }),
    })),
  );
  const known = points.flatMap(({ name, point }) => (point ? [{ name, value: point.maximum }] : []));
  if (known.length === 0)
    return fails(
      "no run reported the host's state for 24 h",
      `${FIGURES.stateAge.fix}; the next run reports it`,
    );
  const bad = known.filter(({ name, value }) => isBeyond(value, HOST_LIMITS[name]));
  const said = (figures: typeof known) =>
    figures.map(({ name, value }) => FIGURES[name].say(value)).join(", ");
  if (bad.length === 0) return holds(said(known.filter(({ name }) => !HAS_OWN_CHECK.includes(name))));
  return fails(said(bad), bad.map(({ name }) => FIGURES[name].fix).join("; "));
}

async function inspectEndpoints({ deployed }: Subject): Promise<Condition> {
  const { config, clients } = deployed;
  const services = ["s3", ...interfaceServices(config)];
  const filter = { Name: "tag:Environment", Values: [config.environment] };
  const { VpcEndpoints } = await clients.ec2.send(new DescribeVpcEndpointsCommand({ Filters: [filter] }));
  const states = services.map((service) => ({
    service,
    state: stateOf(VpcEndpoints ?? [], endpointName(config, service)),
  }));
  const bad = states.filter(({ state }) => state !== "available");
  if (bad.length === 0) return holds(`${services.join(", ")} are available`);
  return fails(
    bad.map(({ service, state }) => `${service} is ${state ?? "not there"}`).join(", "),
    "deploy the endpoints stack; until then the function and the host reach no AWS service through it",
  );
}

/** A deleted endpoint is listed for a while, beside the one that took its place. */
function stateOf(endpoints: readonly VpcEndpoint[], name: string): string | null {
  const named = endpoints.filter(({ Tags }) =>
    Tags?.some(({ Key, Value }) => Key === "Name" && Value === name),
  );
  const states = named.map(({ State }) => String(State).toLowerCase());
  return states.find((state) => state === "available") ?? states[0] ?? null;
}
