import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule/index.js";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target/index.js";
import type { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function/index.js";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";

/** The rule that runs the function, which this one rule alone may do. */
export class Schedule extends Construct {
  readonly rule: CloudwatchEventRule;

  constructor(
    stack: BaseStack,
    id: string,
    private readonly target: LambdaFunction,
  ) {
    super(stack, id);
    this.rule = new CloudwatchEventRule(this, "rule", {
      name: stack.config.ruleName,
      description: "Loads the raw events that are not in the warehouse yet",
      scheduleExpression: stack.config.ruleSchedule,
    });
    this.createTarget();
    this.createPermission();
  }

  private createTarget(): void {
    new CloudwatchEventTarget(this, "target", { rule: this.rule.name, arn: this.target.arn });
  }

  private createPermission(): void {
    new LambdaPermission(this, "permission", {
      statementId: "AllowScheduleRule",
      action: "lambda:InvokeFunction",
      functionName: this.target.functionName,
      principal: "events.amazonaws.com",
      sourceArn: this.rule.arn,
    });
  }
}
