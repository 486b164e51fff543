import type { App } from "cdktf";
import type { Artefacts } from "./artefacts.js";
import type { Config } from "./config.js";
import { EndpointsStack } from "./endpoints-stack.js";
import { LakeStack } from "./lake-stack.js";
import { NetworkStack } from "./network-stack.js";
import { SchedulerStack } from "./scheduler-stack.js";
import { WarehouseStack } from "./warehouse-stack.js";

/** The four stacks, with `lake` five, in the order in which they are deployed. */
export function createStacks(app: App, config: Config, artefacts: Artefacts): void {
  const network = new NetworkStack(app, config);
  const endpoints = new EndpointsStack(app, config, network);
  const warehouse = new WarehouseStack(app, config, { network, endpoints, artefacts });
  const lake = config.lake ? new LakeStack(app, config, warehouse) : null;
  const scheduler = new SchedulerStack(app, config, { network, warehouse, bundle: artefacts.function });
  if (lake) scheduler.addDependency(lake); // whose bucket the function writes to
}
