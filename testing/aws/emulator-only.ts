import type { PlanReport } from "../../cli/plan/report.js";

/** Attributes that every plan wants to change against the emulator, and none against AWS. */
const FORGOTTEN = [
  {
    attribute: "description",
    because: "moto keeps the description of a rule only when its other end is a network",
    addresses: [
      "aws_vpc_security_group_egress_rule.connectivity_function_out_endpoints",
      "aws_vpc_security_group_egress_rule.connectivity_function_out_s3",
      "aws_vpc_security_group_egress_rule.connectivity_function_out_warehouse",
      "aws_vpc_security_group_egress_rule.connectivity_warehouse_out_endpoints",
      "aws_vpc_security_group_egress_rule.connectivity_warehouse_out_s3",
      "aws_vpc_security_group_ingress_rule.connectivity_endpoints_in_function",
      "aws_vpc_security_group_ingress_rule.connectivity_endpoints_in_warehouse",
      "aws_vpc_security_group_ingress_rule.connectivity_warehouse_in_function",
      "aws_vpc_security_group_ingress_rule.connectivity_warehouse_in_shiny",
    ],
  },
  {
    attribute: "vpc_security_group_ids",
    because: "moto forgets the groups of an instance that was given a private address",
    addresses: ["aws_instance.dwh_instance"],
  },
  {
    attribute: "disable_api_termination",
    because: "moto forgets the protection that an instance is started with",
    addresses: ["aws_instance.dwh_instance"],
  },
];

/** `address attribute` of all of them, sorted. */
export const EMULATOR_ONLY: readonly string[] = FORGOTTEN.flatMap(({ addresses, attribute }) =>
  addresses.map((address) => `${address} ${attribute}`),
).sort();

export interface SortedChanges {
  /** What would really change, attribute by attribute. */
  readonly real: readonly { address: string; attribute: string; before: unknown; after: unknown }[];
  /** Those of `EMULATOR_ONLY` that occur. */
  readonly emulatorOnly: readonly string[];
}

/** Only an update can be the emulator's doing; everything else is real. */
export function sortChanges({ stacks }: PlanReport): SortedChanges {
  const all = stacks.flatMap(({ changes }) =>
    changes.flatMap(({ address, action, attributes }) =>
      attributes.map(({ path: attribute, before, after }) => ({
        change: { address, attribute, before, after },
        name: action === "update" ? `${address} ${attribute}` : "",
      })),
    ),
  );
  const isKnown = ({ name }: { name: string }) => EMULATOR_ONLY.includes(name);
  return {
    real: all.filter((entry) => !isKnown(entry)).map(({ change }) => change),
    emulatorOnly: all
      .filter(isKnown)
      .map(({ name }) => name)
      .sort(),
  };
}
