import type { App } from "cdktf";
import type { Artefacts } from "./artefacts.js";
import type { Config } from "./config.js";
import { EndpointsStack } from "./endpoints-stack.js";
import { NetworkStack } from "./network-stack.js";
import { SchedulerStack } from "./scheduler-stack.js";
import { WarehouseStack } from "./warehouse-stack.js";

/** The four stacks, in the order in which they are deployed. */
export function createStacks(app: App, config: Config, artefacts: Artefacts): void {
  const network = new NetworkStack(app, config);
  const endpoints = new EndpointsStack(app, config, network);
  const warehouse = new WarehouseStack(app, config, { network, endpoints, artefacts });
  new SchedulerStack(app, config, { network, warehouse, bundle: artefacts.function });
}
