/**
 * The one place that calls a plugin: every call has a deadline, what it returns has its form, and
 * whatever it throws comes out as an error that names it. Refusals pass as they are: they are written
 * for the user.
 */
import {
  Cancelled,
  messageOf,
  PluginError,
  UnsupportedError,
  UsageError,
} from "../core/errors.ts";
import { checkResult, type Hook } from "./hook_results.ts";
import type {
  HookContext,
  Plugin,
  PluginScope,
  Preparation,
  PrepareContext,
  ProbeContext,
  RouteContext,
  RouteResult,
  RoutingContext,
  RoutingPlan,
  RoutingPlugin,
  StandardSchema,
  Transport,
  TransportContext,
  TransportNeeds,
  TransportPlugin,
} from "./plugin.ts";
import { pluginScope } from "./plugin_scope.ts";
import { clipped, readRefusal, refuse } from "./refusal.ts";

/** A context as the host gives it; the rest is added here. */
export type Given<C extends HookContext> = Omit<C, "refuse">;

/** Deadlines, in milliseconds. */
const DEADLINE_MS: Record<Hook, number> = {
  probe: 10_000,
  plan: 30_000,
  prepare: 60_000,
  route: 120_000,
  isReleased: 30_000,
  needs: 5_000,
  open: 60_000,
  update: 30_000,
  options: 5_000,
};

/** So long may what a plugin releases take, beside what it may wait for by the user's word. */
const RELEASE_MS = 60_000;

/** So long may a hook still take when the command is to end. */
const ABORT_GRACE_MS = 10_000;

/** Throws `UnsupportedError` (`PLUGIN_CANNOT_WORK`) with the plugin's own reason. */
export async function probePlugin(
  plugin: Plugin,
  context: Given<ProbeContext>,
): Promise<void> {
  const result = await call(plugin, "probe", {
    context,
    work: () => plugin.probe(whole(plugin, context)),
  });
  if (result.ok) return;
  const { reason, hint } = result;
  throw new UnsupportedError(
    "PLUGIN_CANNOT_WORK",
    `Mode "${plugin.name}" cannot work here: ${reason}`,
    hint === undefined ? {} : { hint },
  );
}

export function planRouting(
  plugin: RoutingPlugin<never>,
  context: Given<RoutingContext<never>>,
): Promise<RoutingPlan> {
  const work = () => plugin.plan(whole(plugin, context));
  return call(plugin, "plan", { context, work });
}

export async function prepareRouting(
  plugin: RoutingPlugin<never>,
  context: Given<PrepareContext<never>>,
): Promise<Preparation> {
  const work = async () => await plugin.prepare?.(whole(plugin, context));
  return await call(plugin, "prepare", { context, work }) ?? {};
}

export async function routeTraffic(
  plugin: RoutingPlugin<never>,
  context: Given<RouteContext<never>>,
): Promise<RouteResult> {
  const work = () => plugin.route(whole(plugin, context));
  return await call(plugin, "route", { context, work }) ?? {};
}

/** False where the plugin has no word on it. */
export function isReleased(
  plugin: RoutingPlugin<never>,
  context: Given<RoutingContext<never>>,
): Promise<boolean> {
  const work = async () =>
    await plugin.isReleased?.(whole(plugin, context)) ?? false;
  return call(plugin, "isReleased", { context, work });
}

export function transportNeeds(
  plugin: TransportPlugin<never>,
  options: never,
): Promise<TransportNeeds> {
  return call(plugin, "needs", { work: () => plugin.needs(options) });
}

export function openTransport(
  plugin: TransportPlugin<never>,
  context: Given<TransportContext<never>>,
): Promise<Transport> {
  const work = () => plugin.open(whole(plugin, context));
  return call(plugin, "open", { context, work });
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
  if (transport.update === undefined) return false;
  const work = () => transport.update?.(cidrs, servers);
  await call(plugin, "update", { work });
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
  const work = () => schema["~standard"].validate(value);
  const result = await call(plugin, "options", { work });
  if (result.issues === undefined) return result.value as never;
  throw new UsageError(
    "PLUGIN_OPTIONS_INVALID",
    `Cannot read the options of mode "${plugin.name}"`,
    {
      details: result.issues.slice(0, 20).map(({ message }) =>
        clipped(message)
      ),
    },
  );
}

/** With what every plugin is given, and what goes wrong in its scope told as its own. */
function whole<C extends HookContext>(plugin: Plugin, context: Given<C>): C {
  const { scope, recoverWaitMs = 0 } = context as {
    scope?: PluginScope;
    recoverWaitMs?: number;
  };
  return {
    ...context,
    refuse,
    ...(scope && {
      scope: pluginScope(scope, {
        plugin: plugin.name,
        toError: (error) => toPluginError(plugin, "a background task", error),
        releaseMs: RELEASE_MS + recoverWaitMs,
      }),
    }),
  } as unknown as C;
}

async function call<T>(
  plugin: Plugin,
  hook: Hook,
  { context, work }: {
    context?: { readonly signal: AbortSignal };
    work: () => T | Promise<T>;
  },
): Promise<T> {
  const signal = context?.signal;
  const hang = Promise.withResolvers<never>();
  hang.promise.catch(() => {}); // the hook may have returned
  const giveUp = (ms: number, after = "") =>
    setTimeout(() => {
      hang.reject(
        new PluginError(
          "PLUGIN_HUNG",
          `Plugin "${plugin.name}" did not return from ${hook}() within ${
            ms / 1000
          } s${after}`,
        ),
      );
    }, ms);
  const timers = [giveUp(DEADLINE_MS[hook])];
  const onAbort = () =>
    timers.push(giveUp(ABORT_GRACE_MS, " of the command's end"));
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    const result = await Promise.race([
      (async () => await work())(),
      hang.promise,
    ]);
    checkResult(plugin.name, hook, result);
    return result;
  } catch (error) {
    throw toPluginError(plugin, `${hook}()`, error, signal);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    timers.forEach(clearTimeout);
  }
}

/** The end of the command, and what the plugin wrote for the user, pass; the rest is its defect. */
function toPluginError(
  plugin: Plugin,
  where: string,
  error: unknown,
  signal?: AbortSignal,
): unknown {
  const isEnd = error instanceof Cancelled ||
    (error instanceof DOMException && error.name === "AbortError");
  if (isEnd && signal?.aborted !== false) return error;
  const refusal = isEnd ? undefined : readRefusal(error);
  if (refusal !== undefined) return refusal;
  return new PluginError(
    "PLUGIN_THREW",
    `Plugin "${plugin.name}" failed in ${where}: ${clipped(messageOf(error))}`,
    {
      hint:
        "This is a defect of the plugin; run with --debug and tell its author.",
      cause: error,
    },
  );
}
