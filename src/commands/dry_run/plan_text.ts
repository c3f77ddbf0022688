import type { Plan, PlannedObject } from "./plan.ts";

/** A plan as people read it. */
export function planText(plan: Plan): string {
  const { command, context, namespace, objects, machine, unknown } = plan;
  const of = (action: PlannedObject["action"]) =>
    objects.filter((one) => one.action === action);
  return [
    [
      `Dry run of "${command}" in namespace "${namespace}" of context "${context}": nothing is changed.`,
    ],
    section("Would create", of("create").map(named)),
    section("Would change", [...of("change"), ...of("replace")].map(changed)),
    section("Would delete", of("delete").map(named)),
    objects.length === 0 ? ["In the cluster: nothing."] : [],
    section("On this machine", machine),
    plan.ready === undefined ? [] : [`Then: ${plan.ready}`],
    undoing(plan),
    section("Not known before it is done", unknown),
  ].filter((lines) => lines.length > 0).map((lines) => lines.join("\n"))
    .join("\n\n") + "\n";
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0
    ? []
    : [`${title}:`, ...items.map((item) => indented(item))];
}

function named({ kind, name, unchecked }: PlannedObject): string {
  const why = unchecked === undefined
    ? ""
    : ` (the server was not asked: ${unchecked})`;
  return `${kind} ${name}${why}`;
}

function changed(object: PlannedObject): string {
  const { action, diff = "" } = object;
  const how = action === "replace" ? " (deletes it, and makes it anew)" : "";
  return `${named(object)}${how}\n${indented(diff)}`;
}

/** What is undone, and what is not. */
function undoing({ objects, undone, machine }: Plan): string[] {
  if (undone === undefined) return [];
  const own = machine.length === 0 ? [] : ["what is done on this machine"];
  const left = objects.filter(({ isUndone }) => isUndone === false);
  return [
    ...section(
      "At the end, first to last, takes back",
      [...own, ...undone],
    ),
    ...(left.length === 0
      ? undone.length + own.length === 0
        ? []
        : ["  and then all of the above is as it was"]
      : section("Would stay after the end", left.map(named))),
  ];
}

function indented(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
