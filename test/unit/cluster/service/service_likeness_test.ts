import assert from "node:assert/strict";
import {
  type Likeness,
  likeSpec,
  localNode,
  PORT_FIELDS,
  refuseEarlyTraffic,
  refuseSpreadLocal,
  SPEC_FIELDS,
} from "../../../../src/cluster/service/service_likeness.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { own } from "../leftovers.ts";

const { signal } = new AbortController();

/** ServiceSpec and ServicePort of `k8s.io/api/core/v1`, 1.20 and 1.37 together; 1.37 adds none to 1.31. */
const SCHEMA = {
  spec:
    "allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy healthCheckNodePort internalTrafficPolicy ipFamilies ipFamily ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges ports publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig topologyKeys trafficDistribution type",
  port: "appProtocol name nodePort port protocol targetPort",
};

for (
  const [what, fields, table] of [
    ["spec", SCHEMA.spec, SPEC_FIELDS],
    ["port", SCHEMA.port, PORT_FIELDS],
  ] as const
) {
  Deno.test(`every field of a Service's ${what} is decided`, () => {
    assert.deepEqual(Object.keys(table).sort(), fields.split(" "));
  });
}

/** A value for each field. */
const FULL: Record<string, unknown> = {
  allocateLoadBalancerNodePorts: true,
  clusterIP: "10.96.0.5",
  clusterIPs: ["10.96.0.5", "fd00::5"],
  externalIPs: ["192.0.2.1"],
  externalName: "",
  externalTrafficPolicy: "Cluster",
  healthCheckNodePort: 30001,
  internalTrafficPolicy: "Cluster",
  ipFamilies: ["IPv4", "IPv6"],
  ipFamily: "IPv4",
  ipFamilyPolicy: "RequireDualStack",
  loadBalancerClass: "example.com/lb",
  loadBalancerIP: "192.0.2.2",
  loadBalancerSourceRanges: ["192.0.2.0/24"],
  publishNotReadyAddresses: true,
  selector: { "kt-role": "router" },
  sessionAffinity: "None",
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  topologyKeys: ["*"],
  trafficDistribution: "PreferClose",
  type: "LoadBalancer",
  ports: [{
    name: "grpc",
    appProtocol: "kubernetes.io/h2c",
    port: 80,
    targetPort: "grpc",
    protocol: "TCP",
    nodePort: 30080,
  }],
};

Deno.test("what stands in for a Service has all that is to be carried over, and nothing else", () => {
  assert.deepEqual(Object.keys(FULL).sort(), SCHEMA.spec.split(" "));
  const spec = likeSpec(own("Service", "web", FULL), { app: "web" });
  for (const [field, value] of Object.entries(FULL)) {
    const like: Likeness | undefined = SPEC_FIELDS[field];
    if (field === "ports" || field === "selector") continue;
    assert.deepEqual(
      spec[field],
      like === "carried" ? value : undefined,
      field,
    );
  }
  assert.deepEqual(spec.selector, { app: "web" });
  assert.deepEqual(spec.ports, [{
    name: "grpc",
    appProtocol: "kubernetes.io/h2c",
    port: 80,
    targetPort: "grpc",
    protocol: "TCP",
  }]);
});

function onNodes(...nodes: string[]) {
  const kube = new MemoryKube();
  kube.listed = nodes.map((nodeName) => own("Pod", nodeName, { nodeName }));
  return kube.api;
}

for (
  const local of [
    { internalTrafficPolicy: "Local" },
    { externalTrafficPolicy: "Local" },
    { topologyKeys: ["kubernetes.io/hostname"] },
  ]
) {
  const [field = ""] = Object.keys(local);
  const service = own("Service", "web", { selector: { app: "web" }, ...local });

  Deno.test(`a Service of several nodes that answer by themselves (${field}) is refused; for one node, our pod is to be there`, async () => {
    await assert.rejects(
      refuseSpreadLocal(onNodes("a", "b"), service, signal),
      {
        code: "SERVICE_LOCAL_TRAFFIC",
      },
    );
    await refuseSpreadLocal(onNodes("a", "a"), service, signal);
    assert.equal(await localNode(onNodes("a", "a"), service, signal), "a");
    assert.equal(
      await localNode(onNodes("a", "b"), service, signal),
      undefined,
    );
    await refuseSpreadLocal(onNodes(), service, signal);
  });
}

Deno.test("pods that have ended or are about to, and pods of ours, answer on no node", async () => {
  const service = own("Service", "web", {
    selector: { app: "web" },
    internalTrafficPolicy: "Local",
  });
  const others: Partial<KubeObject>[] = [
    { status: { phase: "Failed", reason: "Evicted" } },
    { status: { phase: "Succeeded" } },
    { metadata: { name: "b", deletionTimestamp: "2026-01-01T00:00:00Z" } },
    { metadata: { name: "b", labels: { "kt-role": "shadow-exchange" } } },
  ];
  for (const other of others) {
    const kube = new MemoryKube();
    kube.listed = [
      own("Pod", "a", { nodeName: "a" }),
      { ...own("Pod", "b", { nodeName: "b" }), ...other },
    ];
    await refuseSpreadLocal(kube.api, service, signal);
    assert.equal(await localNode(kube.api, service, signal), "a");
  }
});

Deno.test("a Service that any node answers is taken wherever its pods are", async () => {
  const service = own("Service", "web", {
    selector: { app: "web" },
    internalTrafficPolicy: "Cluster",
    topologyKeys: ["topology.kubernetes.io/zone", "*"],
  });
  await refuseSpreadLocal(onNodes("a", "b"), service, signal);
  assert.equal(await localNode(onNodes("a"), service, signal), undefined);
});

Deno.test("a pod that stands among the original ones is refused where those get requests before they are ready", () => {
  const service = (publishNotReadyAddresses?: boolean) =>
    own("Service", "web", { publishNotReadyAddresses });
  refuseEarlyTraffic(service(), "");
  refuseEarlyTraffic(service(false), "");
  assert.throws(() => refuseEarlyTraffic(service(true), "Use another"), {
    code: "SERVICE_PUBLISHES_NOT_READY",
  });
});
