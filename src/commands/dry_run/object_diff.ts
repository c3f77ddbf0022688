import { structuredPatch } from "diff";
import { stringify } from "yaml";

/** Two objects as YAML, as a unified diff with three lines around each change. */
export function objectDiff(before: object, after: object): string {
  const { hunks } = structuredPatch(
    ...["now", "then", yamlOf(before), yamlOf(after), "", ""] as const,
    { context: 3 },
  );
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]).join("\n");
}

/** Lines are left as long as they are, or a change of one would change others. */
export function yamlOf(object: object): string {
  return stringify(object, { lineWidth: 0, sortMapEntries: false });
}
