import { diffArrays } from "diff";
import type { AttributeChange } from "./attributes.js";
import {
  ACTIONS,
  type Counts,
  type PlanReport,
  type ResourceChange,
  type StackReport,
  totalOf,
} from "./report.js";

/** The report as the text of a pull request: what is lost first, then who may reach what, then all the rest. */
export function toMarkdown(report: PlanReport): string {
  const sections = [
    ["# Terraform plan", headline(report)],
    loudSection(report),
    unplannedSection(report),
    countsTable(report),
    concernSection(report),
    allSection(report),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n\n"))
    .join("\n\n")}\n`;
}

function headline({ counts, stacks }: PlanReport): string {
  const planned = stacks.filter(({ status }) => status === "planned");
  if (planned.length === 0) return "**Nothing could be planned.**";
  const unplanned = planned.length < stacks.length;
  const outputs = stacks.reduce((sum, stack) => sum + stack.outputs.length, 0);
  if (totalOf(counts) > 0)
    return `**${ACTIONS.map((action) => `${counts[action]} to ${action}`).join(", ")}.**`;
  if (outputs > 0) return `**No resource changes; ${outputs} outputs do.**`;
  return unplanned ? "**No changes in the stacks that could be planned.**" : "**No changes.**";
}

function loudSection({ destructive, stacks }: PlanReport): string[] {
  if (!destructive) return [];
  const rows = stacks.flatMap(({ stack, changes }) =>
    changes
      .filter(({ action }) => action === "destroy" || action === "replace")
      .map(
        (change) =>
          `| ${stack} | **${change.action.toUpperCase()}** | \`${change.address}\` | ${reason(change)} |`,
      ),
  );
  return [
    "## 🛑 Destroyed or replaced",
    "> [!CAUTION]\n> What these resources hold is lost unless it is kept elsewhere. Look at each one before you approve.",
    ["| Stack | Action | Resource | Because of |", "| --- | --- | --- | --- |", ...rows].join("\n"),
  ];
}

function reason({ because }: ResourceChange): string {
  return because.map((path) => `\`${path}\``).join(", ") || "—";
}

function unplannedSection({ stacks }: PlanReport): string[] {
  const unplanned = stacks.filter(({ status }) => status !== "planned");
  if (unplanned.length === 0) return [];
  return ["## Not planned", unplanned.map(({ stack, message }) => `- **${stack}**: ${message}`).join("\n")];
}

function countsTable({ counts, stacks }: PlanReport): string[] {
  const row = (name: string, cells: readonly (string | number)[]) => `| ${[name, ...cells].join(" | ")} |`;
  const numbers = (of: Counts) => ACTIONS.map((action) => of[action]);
  return [
    "## Stacks",
    [
      row("Stack", ["Create", "Update", "Replace", "Destroy", "Outputs"]),
      row("---", ["---:", "---:", "---:", "---:", "---:"]),
      ...stacks.map((stack) =>
        stack.status === "planned"
          ? row(stack.stack, [...numbers(stack.counts), stack.outputs.length])
          : row(stack.stack, [...ACTIONS.map(() => "?"), "?"]),
      ),
      row("**all**", [...numbers(counts), stacks.reduce((sum, { outputs }) => sum + outputs.length, 0)]),
    ].join("\n"),
  ];
}

function concernSection({ stacks }: PlanReport): string[] {
  const entries = stacks.flatMap(({ stack, changes }) =>
    changes.filter(({ concern }) => concern !== null).map((change) => concernEntry(stack, change)),
  );
  return entries.length === 0 ? [] : ["## Who may reach what", ...entries];
}

function concernEntry(stack: string, change: ResourceChange): string {
  const title = `**${change.concern}** · ${stack} · ${change.action} \`${change.address}\``;
  return `${title}\n\n${fenced(change.attributes.flatMap(attributeLines))}`;
}

function allSection({ stacks }: PlanReport): string[] {
  const changed = stacks.filter(({ changes, outputs }) => changes.length + outputs.length > 0);
  return changed.length === 0 ? [] : ["## All changes", ...changed.map(stackDetails)];
}

function stackDetails({ stack, changes, outputs }: StackReport): string {
  const lines = changes.flatMap(({ action, address, concern, attributes }) => [
    `${SIGNS[action]} ${address}`,
    ...(action === "update" && concern === null ? attributes.flatMap(attributeLines) : []),
  ]);
  const outputLines = outputs.map((name) => `! output ${name}`);
  const summary = `<summary>${stack}: ${changes.length} resources, ${outputs.length} outputs</summary>`;
  return `<details>${summary}\n\n${fenced([...lines, ...outputLines])}\n\n</details>`;
}

const SIGNS = { create: "+ create ", update: "! update ", replace: "- REPLACE", destroy: "- DESTROY" };

/** `path: value` before and after; a value of several lines, such as a policy, is compared line by line. */
function attributeLines({ path, before, after }: AttributeChange): string[] {
  const [old, now] = [valueLines(before), valueLines(after)];
  if (old.length <= 1 && now.length <= 1) {
    return [...old.map((value) => `-   ${path}: ${value}`), ...now.map((value) => `+   ${path}: ${value}`)];
  }
  return [`    ${path}:`, ...lineDiff(old, now).map((line) => `${line.slice(0, 2)}    ${line.slice(2)}`)];
}

function valueLines(value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value !== "string") return [JSON.stringify(value)];
  return (prettyDocument(value) ?? value).split("\n");
}

/** A JSON document in a text, as policies are, with one thing a line. */
function prettyDocument(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** A block that no value can end: its fence is longer than any run of backticks inside. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(2, ...(lines.join("\n").match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}diff`, ...lines, fence].join("\n");
}

/** The lines of a unified diff without its header: `- ` gone, `+ ` new, two spaces for what stays. */
const lineDiff = (before: readonly string[], after: readonly string[]): string[] =>
  diffArrays([...before], [...after]).flatMap(({ added, removed, value }) =>
    value.map((line) => `${added ? "+" : removed ? "-" : " "} ${line}`),
  );
