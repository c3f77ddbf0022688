import type { TestNamespace } from "./cluster.ts";

/**
 * Until nothing that ktctl made and that lasts is in the namespace, or time is up. A watch does it: to look at
 * all that a namespace holds again and again takes the processors that are waited for.
 */
export async function oursAreGone(
  namespace: TestNamespace,
  withinMs: number,
): Promise<void> {
  // not their pods: those go with them, and the kubelet takes its time
  const ours = ["replicasets,configmaps,services", "-l", "control-by=kt"];
  const wait = ["wait", "--for=delete", ...ours, `--timeout=${withinMs}ms`];
  // where there is none it fails: what is left is for the caller to find out
  await namespace.kubectl(wait, { timeout: withinMs + 10_000 });
}
