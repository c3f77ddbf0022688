import assert from "node:assert/strict";
import { PermissionError, UnsupportedError } from "../../../src/core/errors.ts";
import type { KubeObject, Resource } from "../../../src/kube/kube_api.ts";
import type {
  RoutingContext,
  RoutingPlugin,
} from "../../../src/plugins/plugin.ts";
import istio from "../../../src/plugins/routing/istio.ts";
import { own } from "../cluster/leftovers.ts";

const plugin = istio as RoutingPlugin<never>;
const service = own("Service", "web", {
  selector: { app: "web" },
  ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
});
const deployment = own("Deployment", "web", {
  template: { metadata: { labels: { app: "web", tier: "front" } } },
});

/** What is warned of where these Services may be listed, or none may. */
async function warnings(
  services: readonly KubeObject[] | undefined,
): Promise<Map<string, string>> {
  const kube = {
    namespace: "test",
    find: () => Promise.resolve(undefined),
    list: ({ kind }: Resource) =>
      kind !== "Service"
        ? Promise.resolve([])
        : services === undefined
        ? Promise.reject(new PermissionError("RBAC_FORBIDDEN", "no"))
        : Promise.resolve(services),
    raw: () => Promise.reject(new UnsupportedError("API_NOT_SERVED", "no")),
  };
  const told = new Map<string, string>();
  const context = {
    options: { applyRules: false },
    kube,
    mark: { key: "version", value: "demo" },
    session: "abcdefghij",
    target: { service, deployment },
    pod: { labels: { team: "shop" } },
    shadowLabels: { "kt-target": "AbC" },
    signal: new AbortController().signal,
    log: {
      warn: (code: string, text: string) => told.set(code, text),
      debug: () => {},
      info: () => {},
    },
  } as unknown as RoutingContext<never>;
  await plugin.plan(context);
  return told;
}

Deno.test("who meshes by labels is told which other Services get the Shadow Pod, if they may be listed", async () => {
  const selecting = (name: string, selector: Record<string, string>) =>
    own("Service", name, { selector });
  const told = await warnings([
    service,
    selecting("twin", { tier: "front" }),
    selecting("marked", { version: "demo" }),
    selecting("team", { team: "shop" }),
    selecting("foreign", { app: "other" }),
    own("Service", "bare", {}),
  ]);
  assert.match(
    told.get("SERVICES_SHARE_PODS")!,
    /^The Shadow Pod is behind Service "twin", Service "marked", Service "team" as well/,
  );
  for (const alone of [[service], undefined]) {
    const told = await warnings(alone);
    assert.deepEqual([...told.keys()], ["NO_SERVICE_MESH"]);
  }
});
