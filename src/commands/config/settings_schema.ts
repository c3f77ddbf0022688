import type { Option } from "commander";
import { REPEATED } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import type { ConfigInput } from "./config_input.ts";

/** Prints the schema for the flags that there are, added plugins' too. */
export function printSchema(
  host: Host,
  { groups, options }: ConfigInput,
): void {
  const report = host.report(options);
  report.event({
    event: "ready",
    message: "JSON Schema of config.yaml and .ktctl.yaml",
    output: JSON.stringify(settingsSchema(groups), null, 2),
  });
  host.conclude({ state: "unchanged", reason: "Save it for your editor" });
}

/** JSON Schema, draft 7, which editors know. */
export function settingsSchema(groups: ConfigInput["groups"]): object {
  const properties = [...groups].filter(([, options]) => options.length > 0)
    .map(([group, options]) => [group, groupSchema(group, options)]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "ktctl",
    description:
      "Settings of ktctl: config.yaml of a user, .ktctl.yaml of a project",
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

function groupSchema(group: string, options: readonly Option[]): object {
  return {
    description: group === "global"
      ? "flags of all commands"
      : `flags of ktctl ${group}`,
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries(
      options.map((option) => [option.attributeName(), optionSchema(option)]),
    ),
  };
}

function optionSchema(option: Option): object {
  const { description, defaultValue } = option;
  const isPlain = ["boolean", "number", "string"].includes(typeof defaultValue);
  return {
    description,
    ...typeSchema(option),
    ...(isPlain && { default: defaultValue }),
  };
}

function typeSchema(option: Option): object {
  if (option.isBoolean()) return { type: "boolean" };
  if (option.argChoices !== undefined) return { enum: option.argChoices };
  if (typeof option.defaultValue === "number") return { type: "integer" };
  const type = ["string", "number"];
  if (REPEATED.has(option.attributeName())) {
    return { type: [...type, "array"], items: { type: "string" } };
  }
  return { type: option.optional ? [...type, "boolean"] : type };
}
