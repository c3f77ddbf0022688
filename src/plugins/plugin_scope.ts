/** The scope that a plugin sees: what goes wrong in its background tasks is told as the plugin's. */
import type { PluginScope } from "./plugin.ts";

export function pluginScope(
  scope: PluginScope,
  toError: (error: unknown) => unknown,
): PluginScope {
  return {
    signal: scope.signal,
    run: (step, args, input) => scope.run(step, args, input),
    use: (resource, name) => scope.use(resource, name),
    defer: (name, release) => scope.defer(name, release),
    background: (name, task) =>
      scope.background(name, async (signal) => {
        try {
          await task(signal);
        } catch (error) {
          throw toError(error);
        }
      }),
  };
}
