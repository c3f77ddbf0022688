import assert from "node:assert/strict";
import { ClusterError, PermissionError } from "../../../../src/core/errors.ts";
import { apiServerAddresses } from "../../../../src/cluster/discovery/api_server_addresses.ts";
import { discoverClusterCidrs } from "../../../../src/cluster/discovery/cluster_cidrs.ts";
import { rangesInRefusal } from "../../../../src/cluster/discovery/service_cidrs.ts";
import { AddressKube, node, pod, service } from "../address_kube.ts";

async function discover(kube: AddressKube, disablePodIp = false) {
  const warnings: string[] = [];
  const { services, pods } = await discoverClusterCidrs(kube.api, {
    warn: (code, message) => warnings.push(`${code}: ${message}`),
    disablePodIp,
  });
  return { services: services.map(String), pods: pods.map(String), warnings };
}

const quiet = (kube: AddressKube) => {
  kube.objects["v1/nodes"] = [node(["10.244.0.0/24"])];
  return kube;
};

/** As Kubernetes 1.20 and 1.31 say it, one family and both. */
const REFUSALS = {
  "1.20, one family": (ip: string) =>
    `spec.clusterIPs: Invalid value: []string{"${ip}"}: failed to allocated ip:${ip} with error:provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16`,
  "1.31, one family": (ip: string) =>
    ip === "::"
      ? `spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster`
      : `spec.clusterIPs: Invalid value: []string{"${ip}"}: failed to allocate IP ${ip}: the provided IP (${ip}) is not in the valid range. The range of valid IPs is 10.96.0.0/16`,
  "1.31, both": (ip: string) =>
    `spec.clusterIPs: Invalid value: []string{"${ip}"}: failed to allocate IP ${ip}: the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${
      ip === "::" ? "fd00:10:96::/112" : "10.96.0.0/16"
    }`,
};

Deno.test("the range of Services is read from the refusal of an impossible address", async () => {
  for (const [name, refusal] of Object.entries(REFUSALS)) {
    const kube = quiet(new AddressKube());
    kube.refusal = refusal;
    const { services, warnings } = await discover(kube);
    const both = ["10.96.0.0/16", "fd00:10:96::/112"];
    assert.deepEqual(
      services,
      name.endsWith("both") ? both : both.slice(0, 1),
      name,
    );
    assert.deepEqual(warnings, []);
  }
});

Deno.test("a server whose dry run takes any address is asked in earnest, and no other", async () => {
  for (const isLax of [false, true]) {
    const kube = quiet(new AddressKube());
    kube.refusal = REFUSALS["1.20, one family"];
    kube.isLaxInDryRun = isLax;
    const { services, warnings } = await discover(kube);
    assert.deepEqual(services, ["10.96.0.0/16"]);
    assert.deepEqual(warnings, []);
    assert.equal(kube.calls.includes("create"), isLax);
  }
});

Deno.test("a refusal without a range gives none", () => {
  assert.deepEqual(
    rangesInRefusal(
      "failed to allocate IP 0.0.0.0: the provided network does not match the current range",
    ),
    [],
  );
});

Deno.test("the ServiceCIDR API comes first, in whichever version is served", async () => {
  for (const version of ["v1", "v1beta1"]) {
    const kube = quiet(new AddressKube());
    kube.refusal = REFUSALS["1.20, one family"];
    kube.objects[`networking.k8s.io/${version}/servicecidrs`] = [
      {
        metadata: { name: "kubernetes" },
        spec: { cidrs: ["10.100.0.0/16", "fd00::/112"] },
      },
      { metadata: { name: "more" }, spec: { cidrs: ["10.101.0.0/16"] } },
    ];
    const { services } = await discover(kube);
    assert.deepEqual(services, ["10.100.0.0/15", "fd00::/112"], version);
  }
});

Deno.test("who may not list the ranges of a cluster that can have several is told, and gets those of the Services that are seen", async () => {
  const kube = quiet(new AddressKube());
  kube.refusal = REFUSALS["1.31, one family"];
  kube.objects["networking.k8s.io/v1/servicecidrs"] = [
    { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.96.0.0/16"] } },
    { metadata: { name: "more" }, spec: { cidrs: ["172.30.0.0/16"] } },
  ];
  kube.objects["v1/services"] = [
    service(["10.96.0.1"], "default"),
    service(["172.30.0.7"]),
  ];
  kube.forbidden = new Set(["list servicecidrs"]);
  const { services, warnings } = await discover(kube);
  assert.deepEqual(services, ["10.96.0.0/16", "172.30.0.7/32"]);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings.join(),
    /^SERVICE_RANGE_PARTIAL: .*10\.96\.0\.0\/16, 172\.30\.0\.7\/32.*servicecidrs/,
  );
});

Deno.test("without rights the Services that exist tell, with a warning that says which right is missing", async () => {
  const kube = quiet(new AddressKube());
  kube.objects["networking.k8s.io/v1/servicecidrs"] = [];
  kube.objects["v1/services"] = [
    service(["10.96.0.1"], "default"),
    service(["10.96.200.7", "fd00::7"]),
    service(["None"]),
    { metadata: { name: "external" }, spec: { type: "ExternalName" } },
  ];
  kube.forbidden = new Set(["list servicecidrs", "create services test"]);
  const all = await discover(kube);
  assert.deepEqual(all.services, ["10.96.0.0/16", "fd00::7/128"]);
  assert.match(all.warnings.join(), /^SERVICE_RANGE_GUESSED: .*servicecidrs/);

  kube.forbidden.add("list services");
  const own = await discover(kube);
  assert.deepEqual(own.services, ["10.96.200.7/32", "fd00::7/128"]);
  assert.match(own.warnings.join(), /in namespace "test"/);

  kube.forbidden.add("list services test");
  const none = await discover(kube);
  assert.deepEqual(none.services, []);
  assert.match(none.warnings.join(), /^SERVICE_RANGE_UNKNOWN: Cannot find/);
});

Deno.test("the nodes tell the ranges of Pods, and one request more is enough", async () => {
  const kube = new AddressKube();
  kube.refusal = REFUSALS["1.20, one family"];
  kube.objects["v1/nodes"] = [
    node(["10.244.0.0/24", "fd00:244::/64"]),
    node(["10.244.1.0/24", "fd00:244:0:1::/64"]),
  ];
  kube.objects["v1/pods"] = [pod(["10.244.1.9", "fd00:244::9"])];
  const { pods, warnings } = await discover(kube);
  assert.deepEqual(pods, ["10.244.0.0/23", "fd00:244::/63"]);
  assert.deepEqual(warnings, []);
  assert.ok(!kube.calls.includes("list pods"));
});

Deno.test("Pods outside of their nodes' ranges are found", async () => {
  const kube = new AddressKube();
  kube.refusal = REFUSALS["1.20, one family"];
  kube.objects["v1/nodes"] = [node(["10.244.0.0/24"])];
  kube.objects["v1/pods"] = [
    pod(["192.168.77.5"]),
    pod(["192.168.80.5"], { namespace: "other" }),
  ];
  const { pods } = await discover(kube);
  assert.deepEqual(pods, [
    "10.244.0.0/24",
    "192.168.77.0/24",
    "192.168.80.0/24",
  ]);
});

Deno.test("Pods outside of their nodes' ranges are found from a namespace without any", async () => {
  const kube = new AddressKube();
  kube.refusal = REFUSALS["1.20, one family"];
  kube.objects["v1/nodes"] = [node(["10.244.0.0/24"])];
  kube.objects["v1/pods"] = [
    pod(["172.16.0.10"], { spec: { hostNetwork: true } }),
    pod(["192.168.80.5"], { namespace: "other" }),
  ];
  const { pods } = await discover(kube);
  assert.deepEqual(pods, ["10.244.0.0/24", "192.168.80.0/24"]);
});

Deno.test("where nodes are forbidden or empty, Pods tell; a node's own address is no Pod's", async () => {
  const kube = new AddressKube();
  kube.refusal = REFUSALS["1.20, one family"];
  kube.objects["v1/pods"] = [
    pod(["10.1.2.3", "fd00:1::5"]),
    pod(["10.1.9.3"], { namespace: "other" }),
    pod(["172.16.0.10"], { spec: { hostNetwork: true } }),
    pod(["10.99.0.1"], { phase: "Succeeded" }),
    pod([]),
  ];
  const empty = await discover(kube);
  assert.deepEqual(empty.pods, ["10.1.2.0/24", "10.1.9.0/24", "fd00:1::/64"]);
  assert.deepEqual(empty.warnings, []);

  kube.forbidden = new Set(["list nodes", "list pods"]);
  const forbidden = await discover(kube);
  assert.deepEqual(forbidden.pods, ["10.1.2.0/24", "fd00:1::/64"]);
  assert.match(forbidden.warnings.join(), /^POD_RANGE_GUESSED: .*list nodes/);

  kube.forbidden.add("list pods test");
  const nothing = await discover(kube);
  assert.deepEqual(nothing.pods, []);
  assert.match(nothing.warnings.join(), /^POD_RANGE_UNKNOWN: Cannot find/);
});

Deno.test("--disablePodIp asks for no Pods", async () => {
  const kube = quiet(new AddressKube());
  kube.refusal = REFUSALS["1.20, one family"];
  assert.deepEqual((await discover(kube, true)).pods, []);
  assert.deepEqual(kube.calls.filter((call) => !/cidr|dry run/.test(call)), []);
});

Deno.test("a server that cannot be asked is an error, not a reason to guess", async () => {
  for (
    const error of [
      new PermissionError("UNAUTHORISED", "Cannot list"),
      new ClusterError("CLUSTER_UNREACHABLE", "Cannot list"),
    ]
  ) {
    const kube = new AddressKube();
    kube.list = () => Promise.reject(error);
    await assert.rejects(discover(kube), error);
  }
});

Deno.test("the API server's addresses are all that its name has, and those really used", async () => {
  const kube = new AddressKube();
  kube.peerAddresses = ["10.0.0.7", "10.0.0.1"];
  const options = {
    resolve: (host: string) =>
      Promise.resolve(host === "api.example" ? ["10.0.0.1", "fd00::1"] : []),
  };
  const found = await apiServerAddresses(kube.api, options);
  assert.deepEqual(found.map(String), [
    "10.0.0.1/32",
    "fd00::1/128",
    "10.0.0.7/32",
  ]);
});

Deno.test("an API server's address needs no resolver; a name that does not resolve is a proxy's", async () => {
  const resolve = () => Promise.reject(new Error("ENOTFOUND"));
  const byAddress = new AddressKube();
  Object.assign(byAddress, { server: "https://[fd00::6]:6443" });
  assert.deepEqual(
    (await apiServerAddresses(byAddress.api, { resolve })).map(String),
    ["fd00::6/128"],
  );
  const proxied = new AddressKube();
  proxied.peerAddresses = ["::ffff:10.0.0.3"];
  assert.deepEqual(
    (await apiServerAddresses(proxied.api, { resolve })).map(String),
    ["10.0.0.3/32"],
  );
});

Deno.test("Pods' ranges are guesses where nodes do not have them all", async () => {
  const areGuessed = async (nodes: string[][], disablePodIp = false) => {
    const kube = new AddressKube();
    kube.objects["v1/nodes"] = nodes.map(node);
    kube.objects["v1/pods"] = [pod(["10.1.1.5"])];
    const options = { warn: () => {}, disablePodIp };
    return (await discoverClusterCidrs(kube.api, options)).arePodsGuessed;
  };
  assert.equal(await areGuessed([["10.1.1.0/24"], ["10.1.2.0/24"]]), false);
  assert.equal(await areGuessed([["10.1.2.0/24"]]), true);
  assert.equal(await areGuessed([]), true);
  assert.equal(await areGuessed([], true), false);
});
