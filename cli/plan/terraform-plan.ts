/** The parts of `terraform show -json PLAN` that the report is made from (format version 1.x). */
export interface TerraformPlan {
  readonly resource_changes?: readonly TerraformResourceChange[];
  readonly configuration?: {
    readonly root_module?: { readonly resources?: readonly TerraformConfiguration[] };
  };
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly TerraformAction[] }>>;
}

/** How a resource is written: its expressions, with what they refer to at any depth as `references`. */
export interface TerraformConfiguration {
  readonly address: string;
  readonly expressions?: Readonly<Record<string, unknown>>;
}

export type TerraformAction = "no-op" | "create" | "read" | "update" | "delete" | "forget";

export interface TerraformResourceChange {
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly change: {
    readonly actions: readonly TerraformAction[];
    readonly before: Attributes | null;
    readonly after: Attributes | null;
    /** `true` at every place whose value is not known before the apply. */
    readonly after_unknown: Mask;
    readonly before_sensitive: Mask;
    readonly after_sensitive: Mask;
    /** The attributes that force a replacement. */
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

export type Attributes = Readonly<Record<string, unknown>>;
export type Mask = boolean | readonly Mask[] | { readonly [name: string]: Mask };
