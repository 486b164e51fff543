import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformResource } from "cdktf";
import { readMigrations } from "etl-lib/migrations";
import type { Artefacts } from "../../stacks/artefacts.js";
import { writeHostFiles } from "../../stacks/artefacts.js";
import { createStacks } from "../../stacks/clickstream.js";
import { loadConfig } from "../../stacks/config.js";

export type Attributes = { readonly [name: string]: unknown };
/** A Terraform reference, as it stands in the JSON. */
export const ref = (address: string): string => `\${${address}}`;

/** What one stack reads of another's outputs. */
export const crossStackRef = (stack: string, output: string): string =>
  ref(
    `data.terraform_remote_state.cross-stack-reference-input-${stack}.outputs.cross-stack-output-${output}`,
  );

type Blocks = { readonly [type: string]: { readonly [id: string]: Attributes } };

/** One stack as Terraform reads it. */
export class SynthesizedStack {
  constructor(
    readonly name: string,
    readonly json: { readonly resource?: Blocks; readonly data?: Blocks; readonly [block: string]: unknown },
  ) {}

  /** The resources of a type by their id; none is an empty list. */
  resources(type: string): [id: string, attributes: Attributes][] {
    return Object.entries(this.json.resource?.[type] ?? {});
  }

  /** Every resource of the stack. */
  allResources(): { type: string; id: string; attributes: Attributes }[] {
    return Object.entries(this.json.resource ?? {}).flatMap(([type, byId]) =>
      Object.entries(byId).map(([id, attributes]) => ({ type, id, attributes })),
    );
  }

  /** The one resource of a type, or the one with this id. @throws when there is none, or more than one */
  resource(type: string, id?: string): Attributes {
    const found = this.resources(type).filter(([candidate]) => id === undefined || candidate === id);
    const [first] = found;
    if (first === undefined || found.length > 1)
      throw new Error(`${this.name} has ${found.length} resources ${type} ${id ?? ""}`);
    return first[1];
  }
}

export type Stacks = Readonly<
  Record<"network" | "endpoints" | "warehouse" | "scheduler", SynthesizedStack>
> & {
  readonly lake?: SynthesizedStack;
};

/** The four stacks of a context, synthesized to a folder that is gone afterwards. */
export function synthesize(context: Attributes = {}, changes: Partial<Artefacts> = {}): Stacks {
  const folder = mkdtempSync(join(tmpdir(), "synth-"));
  try {
    const app = new App({ outdir: join(folder, "out") });
    createStacks(app, loadConfig(context), { ...createArtefacts(folder), ...changes });
    app.synth();
    assertDistinct(app);
    const read = (name: string) =>
      new SynthesizedStack(
        name,
        JSON.parse(readFileSync(join(app.outdir, "stacks", name, "cdk.tf.json"), "utf8")),
      );
    return {
      network: read("network"),
      endpoints: read("endpoints"),
      warehouse: read("warehouse"),
      scheduler: read("scheduler"),
      ...(context.lake === true && { lake: read("lake") }),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Addresses carry no hash: of two resources with one address the JSON would silently keep the last. */
function assertDistinct(app: App): void {
  const addresses = app.node
    .findAll()
    .filter(TerraformResource.isTerraformResource)
    .map((resource) => `${resource.cdktfStack.node.id}: ${resource.fqn}`);
  const twice = addresses.filter((address, index) => addresses.indexOf(address) !== index);
  if (twice.length > 0) throw new Error(`Two resources share an address: ${twice.join(", ")}`);
}

/** What is deployed, with a bundle that costs no build and without a dashboard, whatever the work tree holds. */
function createArtefacts(folder: string): Artefacts {
  const zipPath = join(folder, "etl.zip");
  mkdirSync(folder, { recursive: true });
  writeFileSync(zipPath, "a bundle");
  const hash = createHash("sha256").update("a bundle").digest("base64");
  const hostFiles = writeHostFiles(folder);
  return { function: { zipPath, hash }, hostFiles, migrations: readMigrations(), dashboard: null };
}
