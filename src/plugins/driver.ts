/**
 * The one door to a plugin: every call has a deadline, and whatever a plugin throws comes out as an
 * error that names it. ktctl's own errors pass as they are: they are written for the user.
 */
import {
  KtctlError,
  messageOf,
  PluginError,
  UnsupportedError,
  UsageError,
} from "../core/errors.ts";
import type {
  AttachContext,
  Attachment,
  Plugin,
  Preparation,
  PrepareContext,
  ProbeContext,
  RoutingContext,
  RoutingPlan,
  RoutingPlugin,
  StandardSchema,
  Transport,
  TransportContext,
  TransportNeeds,
  TransportPlugin,
} from "./plugin.ts";

type Hook =
  | "probe"
  | "plan"
  | "prepare"
  | "attach"
  | "isReleased"
  | "needs"
  | "open"
  | "update"
  | "options";

/** Deadlines, in milliseconds. */
const DEADLINE_MS: Record<Hook, number> = {
  probe: 10_000,
  plan: 30_000,
  prepare: 60_000,
  attach: 120_000,
  isReleased: 30_000,
  needs: 5_000,
  open: 60_000,
  update: 30_000,
  options: 5_000,
};

/** Throws `UnsupportedError` (`PLUGIN_CANNOT_WORK`) with the plugin's own reason. */
export async function probePlugin(
  plugin: Plugin,
  context: ProbeContext,
): Promise<void> {
  const result = await call(plugin, "probe", () => plugin.probe(context));
  if (result.ok) return;
  throw new UnsupportedError(
    "PLUGIN_CANNOT_WORK",
    `Mode "${plugin.name}" cannot work here: ${result.reason}`,
    {
      ...(result.hint === undefined ? {} : { hint: result.hint }),
    },
  );
}

export function planRouting(
  plugin: RoutingPlugin<never>,
  context: RoutingContext<never>,
): Promise<RoutingPlan> {
  return call(plugin, "plan", () => plugin.plan(context));
}

export function prepareRouting(
  plugin: RoutingPlugin<never>,
  context: PrepareContext<never>,
): Promise<Preparation> {
  return call(
    plugin,
    "prepare",
    () => plugin.prepare?.(context) ?? Promise.resolve({}),
  );
}

export async function attachRouting(
  plugin: RoutingPlugin<never>,
  context: AttachContext<never>,
): Promise<Attachment> {
  return await call(plugin, "attach", () => plugin.attach(context)) ?? {};
}

/** False where the plugin has no word on it. */
export function isReleased(
  plugin: RoutingPlugin<never>,
  context: RoutingContext<never>,
): Promise<boolean> {
  return call(
    plugin,
    "isReleased",
    () => plugin.isReleased?.(context) ?? Promise.resolve(false),
  );
}

export function transportNeeds(
  plugin: TransportPlugin<never>,
  options: never,
): Promise<TransportNeeds> {
  return call(plugin, "needs", () => Promise.resolve(plugin.needs(options)));
}

export function openTransport(
  plugin: TransportPlugin<never>,
  context: TransportContext<never>,
): Promise<Transport> {
  return call(plugin, "open", () => plugin.open(context));
}

/** Captures these addresses, and queries to these name servers, in place of the former ones; false where the plugin cannot. */
export async function updateTransport(
  plugin: TransportPlugin<never>,
  transport: Transport,
  { cidrs, servers }: {
    cidrs: readonly string[];
    servers: readonly string[];
  },
): Promise<boolean> {
  const { update } = transport;
  if (update === undefined) return false;
  await call(plugin, "update", () => update(cidrs, servers));
  return true;
}

/** The plugin's options, checked by its schema. Throws `UsageError` (`PLUGIN_OPTIONS_INVALID`). */
export async function readOptions(
  plugin: Plugin,
  value: Readonly<Record<string, string>>,
): Promise<never> {
  const schema: StandardSchema<unknown> | undefined = plugin.options;
  if (schema === undefined) {
    const [unknown] = Object.keys(value);
    if (unknown === undefined) return undefined as never;
    throw new UsageError(
      "PLUGIN_OPTIONS_INVALID",
      `Mode "${plugin.name}" takes no option "${unknown}"`,
    );
  }
  const result = await call(
    plugin,
    "options",
    () => Promise.resolve(schema["~standard"].validate(value)),
  );
  if (result.issues === undefined) return result.value as never;
  throw new UsageError(
    "PLUGIN_OPTIONS_INVALID",
    `Cannot read the options of mode "${plugin.name}"`,
    {
      details: result.issues.map(({ message }) => message),
    },
  );
}

async function call<T>(
  plugin: Plugin,
  hook: Hook,
  work: () => Promise<T>,
): Promise<T> {
  const hang = Promise.withResolvers<never>();
  const seconds = DEADLINE_MS[hook] / 1000;
  const timer = setTimeout(() => {
    hang.reject(
      new PluginError(
        "PLUGIN_HUNG",
        `Plugin "${plugin.name}" did not return from ${hook}() within ${seconds} s`,
      ),
    );
  }, DEADLINE_MS[hook]);
  try {
    return await Promise.race([work(), hang.promise]);
  } catch (error) {
    if (error instanceof KtctlError) throw error;
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new PluginError(
      "PLUGIN_THREW",
      `Plugin "${plugin.name}" failed in ${hook}(): ${messageOf(error)}`,
      {
        hint:
          "This is a defect of the plugin; run with --debug and tell its author",
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}
