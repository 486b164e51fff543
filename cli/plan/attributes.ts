import type { Mask, TerraformResourceChange } from "./terraform-plan.js";

/** One attribute's value before and after; undefined where it has none. */
export interface AttributeChange {
  /** As in `environment[0].variables.DWH_HOST`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

export const UNKNOWN = "(known after apply)";
export const SENSITIVE = "(sensitive)";

/**
 * What changes, leaf by leaf; for a resource that comes or goes, all that is set.
 *
 * @param sources what each configured attribute refers to, by its name; see `referencesOf`
 */
export function attributeChanges(
  { change }: TerraformResourceChange,
  sources: References,
): AttributeChange[] {
  const before = leaves(change.before, [[change.before_sensitive, SENSITIVE]]);
  const after = leaves(change.after, [
    [change.after_unknown, UNKNOWN],
    [change.after_sensitive, SENSITIVE],
  ]);
  const comesOrGoes = change.before === null || change.after === null;
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((path) => JSON.stringify(before.get(path)) !== JSON.stringify(after.get(path)))
    .map((path) => ({ path, before: before.get(path)?.shown, after: after.get(path)?.shown }))
    .filter((attribute) => !isComputed(attribute, sources) && !(comesOrGoes && isInherited(attribute)))
    .map((attribute) => withSource(attribute, sources));
}

/** What the resource computes by itself says nothing before it is known. */
function isComputed({ path, after }: AttributeChange, sources: References): boolean {
  return after === UNKNOWN && sourcesAt(path, sources).length === 0;
}

/** `tags_all` repeats `tags` and the provider's defaults. */
function isInherited({ path }: AttributeChange): boolean {
  return /^tags_all\b/.test(path);
}

/** An unknown value whose source is known: `(known after apply: aws_security_group.function.id)`. */
function withSource(attribute: AttributeChange, sources: References): AttributeChange {
  const names = sourcesAt(attribute.path, sources);
  if (attribute.after !== UNKNOWN || names.length === 0) return attribute;
  return { ...attribute, after: `${UNKNOWN.slice(0, -1)}: ${names.join(", ")})` };
}

/** Addresses that an attribute's value is made from, by the attribute's name. */
export type References = ReadonlyMap<string, readonly string[]>;

function sourcesAt(path: string, sources: References): readonly string[] {
  return sources.get(path.split(/[.[]/, 1)[0] ?? "") ?? [];
}

/** Reads them from how the resource is written. */
export function referencesOf(expressions: Readonly<Record<string, unknown>> = {}): References {
  return new Map(Object.entries(expressions).map(([name, value]) => [name, mostPrecise(collect(value))]));
}

function collect(expression: unknown): string[] {
  if (Array.isArray(expression)) return expression.flatMap(collect);
  if (!isObject(expression)) return [];
  const { references } = expression;
  return Array.isArray(references) ? references.map(String) : Object.values(expression).flatMap(collect);
}

/** Terraform names `a.b.id` and then `a.b` too. */
function mostPrecise(names: readonly string[]): string[] {
  const all = [...new Set(names)];
  return all.filter(
    (name) => !all.some((other) => other.startsWith(`${name}.`) || other.startsWith(`${name}[`)),
  );
}

/** A mask, and the text that stands for what it covers. */
type Cover = readonly [mask: Mask | undefined, text: string];

/** By path; `raw` tells whether a secret changed, only `shown` may be printed. */
type Leaves = Map<string, { readonly raw: unknown; readonly shown: unknown }>;

function leaves(value: unknown, covers: readonly Cover[], path = "", found: Leaves = new Map()): Leaves {
  const cover = covers.find(([mask]) => mask === true)?.[1];
  const children = cover === undefined ? childrenOf(value, covers) : null;
  if (children === null) {
    const isSet = cover !== undefined || (value !== null && value !== undefined);
    return isSet ? found.set(path, { raw: value, shown: cover ?? value }) : found;
  }
  for (const [name, step] of children) {
    const below = covers.map(([mask, text]) => [maskAt(mask, name), text] as const);
    leaves((value as Record<string, unknown> | null)?.[name], below, path === "" ? name : path + step, found);
  }
  return found;
}

/** Names of the value's parts, with the path to each; null for a leaf. A list of plain values is one leaf. */
function childrenOf(value: unknown, covers: readonly Cover[]): [name: string, step: string][] | null {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object" || item === null)) return value.length > 0 ? null : [];
    return value.map((_, index) => [String(index), `[${index}]`]);
  }
  const masks = covers.map(([mask]) => mask).filter(isObject);
  if (!isObject(value) && (value !== null || masks.length === 0)) return null;
  const names = new Set([value, ...masks].flatMap((part) => (isObject(part) ? Object.keys(part) : [])));
  return [...names].map((name) => [name, `.${name}`]);
}

function maskAt(mask: Mask | undefined, name: string): Mask | undefined {
  return isObject(mask) || Array.isArray(mask) ? (mask as Record<string, Mask>)[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
