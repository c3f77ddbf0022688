import assert from "node:assert/strict";
import { followClusterCidrs } from "../../../../src/cluster/discovery/follow_cidrs.ts";
import {
  NODES,
  PODS,
  SERVICE_CIDRS,
  SERVICES,
} from "../../../../src/kube/resources.ts";
import { Cidr } from "../../../../src/net/cidr.ts";
import { AddressKube, node, pod, service } from "../address_kube.ts";

/** Follows a cluster; `next` gives what it tells. */
function follow(
  kube: AddressKube,
  known: string[],
  { arePodsGuessed = false } = {},
) {
  const controller = new AbortController();
  const told: string[][] = [];
  let wake = () => {};
  const done = followClusterCidrs(kube.api, {
    known: known.map(Cidr.parse),
    arePodsGuessed,
    onAdded: (cidrs) => {
      told.push(cidrs.map(String));
      wake();
    },
    signal: controller.signal,
  });
  return {
    async next(): Promise<string[]> {
      while (told.length === 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      return told.shift()!;
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await done;
      assert.deepEqual(told, []);
    },
  };
}

Deno.test("Services and nodes outside the known ranges are told, each once", async () => {
  const kube = new AddressKube();
  kube.objects["v1/services"] = [
    service(["10.96.0.1"]),
    service(["10.97.0.1", "fd00::1"]),
  ];
  kube.objects["v1/nodes"] = [node(["10.244.0.0/24"])];
  await using following = follow(kube, ["10.96.0.0/16", "10.244.0.0/24"]);
  assert.deepEqual(await following.next(), ["10.97.0.1/32", "fd00::1/128"]);

  kube.add(SERVICES, service(["10.96.0.2"], "other"));
  kube.add(SERVICES, service(["None"]));
  kube.add(SERVICES, service(["10.97.0.1"]));
  kube.add(SERVICES, service(["10.98.0.1"]));
  assert.deepEqual(await following.next(), ["10.98.0.1/32"]);

  kube.add(NODES, node(["10.244.1.0/24"]));
  assert.deepEqual(await following.next(), ["10.244.1.0/24"]);
});

Deno.test("a ServiceCIDR that comes later is told whole, in whichever version is served", async () => {
  for (const resource of SERVICE_CIDRS) {
    const kube = new AddressKube();
    const metadata = { name: "kubernetes" };
    kube.objects[`${resource.apiVersion}/servicecidrs`] = [
      { metadata, spec: { cidrs: ["10.96.0.0/16"] } },
    ];
    await using following = follow(kube, ["10.96.0.0/16"]);
    await new Promise((resolve) => setTimeout(resolve)); // the watches have begun
    const cidrs = ["10.99.0.0/24", "fd00:99::/112"];
    kube.add(resource, { metadata: { name: "more" }, spec: { cidrs } });
    assert.deepEqual(await following.next(), cidrs);
    kube.add(SERVICES, service(["10.99.0.7"]));
  }
});

Deno.test("where no node says where Pods are, what is around a new one of the session's namespace is told", async () => {
  const kube = new AddressKube();
  kube.objects["v1/pods"] = [pod(["10.1.1.5"])];
  const known = ["10.96.0.0/16", "10.1.1.0/24"];
  {
    await using following = follow(kube, known, { arePodsGuessed: true });
    await new Promise((resolve) => setTimeout(resolve)); // the watches have begun
    kube.add(PODS, pod(["10.1.1.6"]));
    kube.add(PODS, pod(["10.0.0.9"], { spec: { hostNetwork: true } }));
    kube.add(PODS, pod(["10.1.7.5", "fd00:1:2:3::5"]));
    assert.deepEqual(await following.next(), [
      "10.1.7.0/24",
      "fd00:1:2:3::/64",
    ]);
    kube.add(PODS, pod(["10.1.7.9"]));
  }
  assert.ok(kube.calls.includes("watch pods test"));
  kube.calls.length = 0;
  await using _following = follow(kube, known);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(!kube.calls.includes("watch pods test"));
});

Deno.test("with rights in one namespace alone its Services are followed", async () => {
  const kube = new AddressKube();
  kube.forbidden = new Set(["watch services", "watch nodes"]);
  kube.objects["v1/services"] = [
    service(["10.97.0.1"]),
    service(["10.98.0.1"], "other"),
  ];
  await using following = follow(kube, ["10.96.0.0/16"]);
  assert.deepEqual(await following.next(), ["10.97.0.1/32"]);
});

Deno.test("with no rights following ends by itself", async () => {
  const kube = new AddressKube();
  kube.forbidden = new Set([
    "watch services",
    "watch nodes",
    "watch services test",
  ]);
  await followClusterCidrs(kube.api, {
    known: [],
    onAdded: () => assert.fail("nothing is known"),
    signal: new AbortController().signal,
  });
});
