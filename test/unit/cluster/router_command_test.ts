import assert from "node:assert/strict";
import {
  routerConfigMap,
  routerPod,
} from "../../../src/cluster/router/router_objects.ts";
import type { RouterState } from "../../../src/cluster/router/router_state.ts";
import { share } from "./shares.ts";

const NOW = 1_700_000_000;
/** Of one argument of a program. */
const MAX_ARGUMENT_BYTES = 128 * 1024;

function router(portCount: number): RouterState {
  const ports = Array.from({ length: portCount }, (_, at) => ({
    name: `kt-${8000 + at}`,
    port: 8000 + at,
    servicePort: 80 + at,
  }));
  return {
    namespace: "test",
    service: "web",
    podName: "web-kt-router",
    podTarget: "x",
    origin: "10.96.0.1",
    ports,
    statusPort: 9900,
    runtimePort: 9901,
    lowPorts: false,
    participants: [],
  };
}

function podOf(state: RouterState) {
  const pod = { ...share().pod, routerImage: "haproxy:2.6" };
  return routerPod(state, { now: NOW, user: "alice", pod })["spec"];
}

Deno.test("what the Router Pod runs is in the pod itself, and nothing of it in the ConfigMap", () => {
  const { volumes, containers: [container] } = podOf(router(1));
  assert.deepEqual(volumes, [{ name: "router", emptyDir: {} }]);
  assert.ok(container.command.join("").includes("server origin 10.96.0.1:80"));
  const { data } = routerConfigMap(router(1), NOW);
  assert.deepEqual(Object.keys(data), ["state.json", "knows-more.json"]);
});

Deno.test("a router of very many ports fits into its command", () => {
  const { containers: [{ command }] } = podOf(router(80));
  for (const argument of command) {
    assert.ok(argument.length < MAX_ARGUMENT_BYTES);
  }
  assert.ok(command.join("").length < 1_000_000, `${command.join("").length}`);
});
