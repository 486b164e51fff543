import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import contract from "./contract.json" with { type: "json" };
import type { ContractTally } from "./tally.js";

const ajv = addFormats.default(new Ajv2020({ allErrors: true, strict: false, logger: false }));
ajv.addSchema(contract);

/** A check is compiled when its event comes for the first time. */
const checks = new Map<string, ValidateFunction>();
const KINDS: { readonly [keyword: string]: string } = {
  required: "missing",
  additionalProperties: "unknown_field",
  unevaluatedProperties: "unknown_field",
  const: "enum",
};

/** Holds an event against the contract: each field that differs counts once by kind. */
export function checkEvent(name: string, event: unknown, tally: ContractTally): void {
  tally.checked++;
  const isKnown = Object.hasOwn(contract.$defs.events, name);
  if (!isKnown) tally.add(name, "eventName", "unknown_event");
  const check = checkOf(isKnown ? `events/${name}` : "event");
  if (check(event)) return;
  const differs = new Set((check.errors ?? []).map((error) => `${kindOf(error)} ${fieldOf(error)}`));
  for (const entry of differs) {
    const [kind = "", ...field] = entry.split(" ");
    tally.add(isKnown ? name : OF_ANY, field.join(" "), kind);
  }
}

/** What differs in events that the contract does not know is counted together: anyone can make up their names. */
const OF_ANY = "(unknown)";

function checkOf(path: string): ValidateFunction {
  let check = checks.get(path);
  if (!check) {
    check = ajv.getSchema(`contract#/$defs/${path}`) as ValidateFunction;
    checks.set(path, check);
  }
  return check;
}

const kindOf = ({ keyword }: ErrorObject): string => KINDS[keyword] ?? keyword;

/** The field as product.price, of an event and of a list's elements alike. */
function fieldOf({ instancePath, params }: ErrorObject): string {
  const last = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty;
  const path = instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return [...path, ...(last === undefined ? [] : [last])].join(".") || "eventName";
}
