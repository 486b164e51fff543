/** One statement of an IAM, bucket or endpoint policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | { readonly Service: string };
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: {
    readonly [operator: string]: { readonly [key: string]: string | readonly string[] };
  };
}

/** The JSON text of a policy; tokens in it resolve as in any string. */
export function policy(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export function allow(sid: string, actions: readonly string[], resources: readonly string[]): Statement {
  return { Sid: sid, Effect: "Allow", Action: actions, Resource: resources };
}

/**
 * A trust policy for one AWS service, bound to this account so that the service cannot be talked into using the
 * role on another's behalf. EC2 and Lambda send no source account when they assume a role: leave it out there.
 */
export function trust(service: string, sourceAccount?: string): string {
  const condition = { StringEquals: { "aws:SourceAccount": sourceAccount ?? "" } };
  return policy({
    Effect: "Allow",
    Principal: { Service: service },
    Action: ["sts:AssumeRole"],
    ...(sourceAccount === undefined ? {} : { Condition: condition }),
  });
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html: the calls know no resource. */
export const writeTraces = (): Statement =>
  allow("WriteTraces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]);
