/** Whether a module's default export is a plugin. It is a stranger's: nothing of it is used before. */
import { messageOf, PluginError } from "../core/errors.ts";
import { type Plugin, PLUGIN_API_VERSION } from "./plugin.ts";
import { clipped } from "./refusal.ts";
import { ROUTING_VERBS } from "./routing_verb.ts";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const FLAG = /^[a-z][a-zA-Z0-9]{1,39}$/;
const MAX_SUMMARY = 200;

type Fields = Record<string, unknown>;

/** Throws `PluginError` (`PLUGIN_INVALID`, `PLUGIN_API_VERSION`). */
export function validatePlugin(value: unknown, source: string): Plugin {
  const refuse: RefusePlugin = (code, reason, hint) =>
    new PluginError(
      code,
      `Cannot load the plugin from ${source}: ${reason}`,
      hint === undefined ? {} : { hint },
    );
  try {
    look(value, refuse);
  } catch (error) {
    if (error instanceof PluginError) throw error;
    // a field of it throws when it is read
    const reason = `it cannot be looked at: ${clipped(messageOf(error))}`;
    throw refuse("PLUGIN_INVALID", reason);
  }
  return value as Plugin;
}

type RefusePlugin = (
  code: string,
  reason: string,
  hint?: string,
) => PluginError;

function look(value: unknown, refuse: RefusePlugin): void {
  if (!isObject(value)) {
    throw refuse(
      "PLUGIN_INVALID",
      "its default export is no object",
      "End the module with `export default definePlugin({ … })`, or with the plain object.",
    );
  }
  if (value.apiVersion !== PLUGIN_API_VERSION) {
    throw refuse(
      "PLUGIN_API_VERSION",
      `it was made for plugin API ${
        String(value.apiVersion)
      }, this is ${PLUGIN_API_VERSION}`,
      "Look for a version of the plugin made for this ktctl.",
    );
  }
  const fault = faultOf(value);
  if (fault !== undefined) throw refuse("PLUGIN_INVALID", fault);
}

/** What is wrong, as "it has no …". */
function faultOf(plugin: Fields): string | undefined {
  const { name, aliases = [], kind, steps } = plugin;
  if (!isPluginName(name)) {
    return `its name "${String(name)}" is not lower-case words joined by "-"`;
  }
  if (!Array.isArray(aliases) || !aliases.every(isPluginName)) {
    return 'its aliases are not a list of lower-case words joined by "-"';
  }
  if (kind !== "routing" && kind !== "transport") {
    return `its kind "${String(kind)}" is neither routing nor transport`;
  }
  if (!Array.isArray(steps)) return "it has no list of steps";
  if (!steps.every(isStep)) {
    return "each of its steps needs an id, apply(), revert(), describe() and undoCommand()";
  }
  return faultOfMethods(plugin, METHODS[kind]) ??
    (kind === "routing" ? faultOfRouting(plugin) : undefined) ??
    faultOfOptions(plugin);
}

const METHODS = {
  routing: {
    needed: ["probe", "plan", "route"],
    others: ["prepare", "isReleased"],
  },
  transport: { needed: ["probe", "needs", "open"], others: [] },
};

function faultOfMethods(
  plugin: Fields,
  { needed, others }: { needed: readonly string[]; others: readonly string[] },
): string | undefined {
  const isFunction = (name: string) => typeof plugin[name] === "function";
  const missing = needed.find((one) => !isFunction(one)) ??
    others.find((one) => plugin[one] !== undefined && !isFunction(one));
  return missing === undefined ? undefined : `it has no ${missing}()`;
}

function faultOfRouting({ verbs }: Fields): string | undefined {
  if (!Array.isArray(verbs) || verbs.length === 0) {
    return "it names no verb that it works for";
  }
  const other = verbs.find((one) => !ROUTING_VERBS.includes(one));
  if (other === undefined) return undefined;
  return `its verb "${String(other)}" is none of ${ROUTING_VERBS.join(", ")}`;
}

function faultOfOptions(
  { summary, options, flags = [] }: Fields,
): string | undefined {
  if (!isText(summary)) {
    return `it has no summary of at most ${MAX_SUMMARY} characters, in one line`;
  }
  if (options !== undefined && !isSchema(options)) {
    return "its options are no Standard Schema (https://standardschema.dev)";
  }
  if (!Array.isArray(flags) || !flags.every(isFlag)) {
    return 'each of its flags needs a name such as "mapPort", a summary, and for a value its name';
  }
  const names = flags.map(({ name }) => name);
  const twice = names.find((one, at) => names.indexOf(one) !== at);
  if (twice !== undefined) return `it has two flags "${twice}"`;
  if (flags.length > 0 && options === undefined) {
    return "it has flags, but no options that read them";
  }
  return undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Lower-case words joined by "-", so that it may be a file's name as well. */
export function isPluginName(value: unknown): boolean {
  return typeof value === "string" && value.length <= 40 && NAME.test(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "" &&
    value.length <= MAX_SUMMARY && !value.includes("\n");
}

/** arktype's are functions. */
function isSchema(value: unknown): boolean {
  if (typeof value !== "function" && !isObject(value)) return false;
  const standard = (value as Fields)["~standard"];
  return isObject(standard) && typeof standard.validate === "function";
}

function isFlag(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, value: valueName, isValueOptional, summary } = value;
  return typeof name === "string" && FLAG.test(name) && isText(summary) &&
    (valueName === undefined ||
      (typeof valueName === "string" &&
        /^[^<>[\]\s]{1,40}$/.test(valueName))) &&
    (isValueOptional === undefined || typeof isValueOptional === "boolean");
}

function isStep(value: unknown): boolean {
  return isObject(value) && typeof value.id === "string" && value.id !== "" &&
    ["apply", "revert", "describe", "undoCommand"].every((method) =>
      typeof value[method] === "function"
    ) &&
    ["isRefusal", "isPresent"].every((method) =>
      value[method] === undefined || typeof value[method] === "function"
    );
}
