import assert from "node:assert/strict";
import { routerPod } from "../../../../src/cluster/router/router_objects.ts";
import {
  readRouter,
  STATE_KEY,
} from "../../../../src/cluster/router/router_record.ts";
import { made, NOW } from "../leftovers.ts";

Deno.test("a Router Pod has the image of whoever makes it, whatever its ConfigMap names", () => {
  const configMap = made("ConfigMap", "web-kt-router", { target: "AbC" });
  const read = readRouter({
    ...configMap,
    data: {
      [STATE_KEY]: JSON.stringify({
        version: 1,
        namespace: "test",
        service: "web",
        image: "evil:1",
        podName: "web-kt-router",
        podTarget: "AbC",
        original: { app: "evil" },
        origin: "",
        ports: [{ name: "kt-80", port: 80, servicePort: 80 }],
        statusPort: 9900,
        runtimePort: 9901,
        lowPorts: false,
        participants: [],
      }),
    },
  });
  assert.ok(read.reason === undefined);
  const pod = routerPod(read.value, {
    now: NOW,
    user: "alice",
    pod: {
      routerImage: "haproxy:2.6",
      imagePullPolicy: "IfNotPresent",
      nodeSelector: {},
      tolerations: [],
      labels: {},
      annotations: {},
      quota: {},
    },
  });
  assert.equal(pod["spec"].containers[0].image, "haproxy:2.6");
  assert.equal(pod.metadata.namespace, "test");
  assert.doesNotMatch(JSON.stringify(pod), /evil/);
});
