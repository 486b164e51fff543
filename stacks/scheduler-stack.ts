import { DataResource, TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import type { FunctionBundle } from "../functions/etl/bundle.js";
import { BaseStack } from "./base-stack.js";
import type { Config } from "./config.js";
import { BackfillMachine } from "./constructs/backfill-machine.js";
import { EtlAlarms } from "./constructs/etl-alarms.js";
import { EtlFunction } from "./constructs/etl-function.js";
import { rawBucketArn } from "./constructs/raw-bucket.js";
import { Schedule } from "./constructs/schedule.js";
import type { NetworkStack } from "./network-stack.js";
import type { WarehouseStack } from "./warehouse-stack.js";

export interface SchedulerStackProps {
  readonly network: NetworkStack;
  readonly warehouse: WarehouseStack;
  readonly bundle: FunctionBundle;
}

/** The ETL function, the rule that runs it, the machine for backfills, and the alarms on them. */
export class SchedulerStack extends BaseStack {
  constructor(scope: Construct, config: Config, { network, warehouse, bundle }: SchedulerStackProps) {
    super(scope, "scheduler", config);
    const etl = new EtlFunction(this, "etl", {
      network,
      warehouse: warehouse.host,
      rawBucketArn: rawBucketArn(this),
      bundle,
    });
    new Schedule(this, "hourly", etl.function);
    const { machine } = new BackfillMachine(this, "backfill", etl.function);
    this.guardData();
    const alarms = new EtlAlarms(this, "alarm", etl.failures, warehouse.host, machine);
    new TerraformOutput(this, "function_name", { value: etl.function.functionName });
    new TerraformOutput(this, "backfill_arn", { value: machine.arn });
    new TerraformOutput(this, "failure_queue_url", { value: etl.failures.url });
    new TerraformOutput(this, "alarm_topic_arn", { value: alarms.topic.arn });
  }

  /**
   * This stack is the first that `cdktf destroy '*'` takes down. With the guard it stops here, before anything is
   * gone, and not half-way at the data that the next stack protects.
   */
  private guardData(): void {
    new DataResource(this, "data_is_protected", { lifecycle: { preventDestroy: this.config.protectData } });
  }
}
