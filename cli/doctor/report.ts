import type { Finding } from "./doctor.js";

const MARKS = { holds: "✔", fails: "✘", unknown: "?" } as const;

/** One line each, the fix below what fails, and a closing line with the sums. */
export function reportText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, detail, fix }) => {
    const line = `${MARKS[status]} ${check.padEnd(width)}  ${detail}`;
    return fix === null ? line : `${line} → ${fix}`;
  });
  return [...lines, "", closing(findings)].join("\n");
}

function closing(findings: readonly Finding[]): string {
  const counted = (status: Finding["status"]) =>
    findings.filter((finding) => finding.status === status).length;
  const [fails, unknown] = [counted("fails"), counted("unknown")];
  if (fails + unknown === 0)
    return findings.length === 1 ? "The one check holds." : `All ${findings.length} checks hold.`;
  const rest = unknown === 0 ? "" : `, ${unknown} could not be made`;
  return `${counted("holds")} of ${findings.length} checks hold, ${fails} fail${fails === 1 ? "s" : ""}${rest}.`;
}
