import type { Plan, PlannedObject } from "./plan.ts";
import { yamlOf } from "./object_diff.ts";

/** Manifests of all that would be there, in the order in which it would be made; what would go is in comments. */
export function planYaml({ command, objects }: Plan): string {
  const documents = objects.flatMap((one) =>
    one.after === undefined
      ? []
      : [`# would ${one.action} this${why(one)}\n${yamlOf(one.after)}`]
  );
  const gone = objects.filter(({ after }) => after === undefined);
  return [
    `# What "${oneLine(command)}" would do.\n`,
    ...gone.map(({ kind, name }) =>
      `# would delete ${kind} ${oneLine(name)}\n`
    ),
    documents.join("---\n"),
  ].join("");
}

function why({ unchecked }: PlannedObject): string {
  return unchecked === undefined ? "" : `; not asked for: ${unchecked}`;
}

/** A name is what the user wrote, and must not end the comment. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
