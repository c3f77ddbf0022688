// What cannot be meshed is refused with a code and a way out, and nothing is changed.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop } from "./laptop.ts";

interface Refusal {
  readonly title: string;
  readonly args: readonly string[];
  readonly code: string;
  readonly exit: number;
  /** What message and hint, as one line, must say. */
  readonly says: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    title: "a mark with a capital letter",
    args: ["web", "--versionMark", "Demo"],
    code: "MARK_INVALID",
    exit: 2,
    says: /"Demo" cannot be .*lower-case letters, digits, "-" and "\."/,
  },
  {
    title: "a mark with a space",
    args: ["web", "--versionMark", "a b"],
    code: "MARK_INVALID",
    exit: 2,
    says: /"a b" cannot be/,
  },
  {
    title: "a mark whose header cannot be one",
    args: ["web", "--versionMark", "kt mark:demo"],
    code: "MARK_INVALID",
    exit: 2,
    says: /"kt mark" cannot be the name of a header.*"-" and "_"/,
  },
  {
    title: "a mark by a header that has a meaning",
    args: ["web", "--versionMark", "host:demo"],
    code: "MARK_INVALID",
    exit: 2,
    says: /"host" has a meaning of its own/,
  },
  {
    title: "a mark that is too long for a label",
    args: ["web", "--versionMark", "a".repeat(64)],
    code: "MARK_INVALID",
    exit: 2,
    says: /cannot be the value of a label.*63 at most/,
  },
  {
    title: "a mode that there is not",
    args: ["web", "--mode", "autp"],
    code: "MODE_UNKNOWN",
    exit: 2,
    says: /"autp".*Did you mean "auto"\?.*auto, manual/,
  },
  {
    title: "an option of the other mode",
    args: ["web", "--mode", "manual", "--routerImage", "haproxy:2.6"],
    code: "OPTION_OF_OTHER_MODE",
    exit: 2,
    says: /--routerImage has no meaning in mode manual.*--mode auto/,
  },
  {
    title: "a router image that cannot be one",
    args: ["web", "--routerImage", "-x"],
    code: "PLUGIN_OPTIONS_INVALID",
    exit: 2,
    says: /--routerImage "-x" as an image: it is not like "busybox"/,
  },
  {
    title: "a form of rules that there is not",
    args: ["web", "--mode", "manual", "--emitRules", "linkerd"],
    code: "PLUGIN_OPTIONS_INVALID",
    exit: 2,
    says: /--emitRules gateway/,
  },
  {
    title: "rules without Istio",
    args: ["web", "--mode", "manual", "--applyRules"],
    code: "NO_ISTIO",
    exit: 3,
    says: /does not serve networking\.istio\.io.*--mode auto/,
  },
  {
    title: "a Service that is not there",
    args: ["wbe"],
    code: "SERVICE_NOT_FOUND",
    exit: 5,
    says: /Did you mean "web"\?/,
  },
  {
    title: "a headless Service",
    args: ["headless"],
    code: "SERVICE_HEADLESS",
    exit: 3,
    says: /"headless": it is headless/,
  },
  {
    title: "a Service with a UDP port",
    args: ["udp"],
    code: "UDP_PORT",
    exit: 3,
    says: /port 53 is UDP, and nothing would answer/,
  },
  {
    title: "a Service whose router's name a foreign pod has",
    args: ["taken"],
    code: "ROUTER_NAME_TAKEN",
    exit: 7,
    says: /Pod "taken-kt-router" is there already.*--mode manual/,
  },
  {
    title: "a Service at a router of the original ktctl",
    args: ["stock"],
    code: "SERVICE_MESHED",
    exit: 7,
    says: /router of the original ktctl.*ktctl recover stock --takeOver/,
  },
];

function service(name: string, spec: Record<string, unknown> = {}) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: {
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
      ...spec,
    },
  };
}

Deno.test("mesh: bad input", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const parked = {
    containers: [{ name: "main", image: "localhost/busybox:1" }],
    nodeSelector: { "no-such": "node" },
  };
  const router = { "kt-role": "router", "kt-target": "stock" };
  const items = [
    service("web"),
    service("headless", { clusterIP: "None" }),
    service("udp", {
      ports: [{ name: "dns", port: 53, protocol: "UDP" }],
    }),
    service("taken"),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "taken-kt-router" },
      spec: parked,
    },
    {
      ...service("stock", { selector: router }),
      metadata: {
        name: "stock",
        annotations: { "kt-selector": '{"app":"web"}' },
      },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "stock-kt-router",
        labels: { ...router, "control-by": "kt" },
      },
      spec: parked,
    },
  ];
  await namespace.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  for (const { title, args, code, exit, says } of refusals) {
    await t.step(`${title} is refused`, async () => {
      const expose = ["--expose", `${laptop.demo.port}:80`];
      const result = await laptop.run(["mesh", ...args, ...expose]);
      const all = result.stdout + result.stderr;
      assert.equal(result.error?.["code"], code, all);
      assert.equal(result.code, exit, all);
      const { message, hint = "", details } = result.error!;
      assert.match([message, hint, ...details].join(" "), says);
    });
  }
  await t.step("nothing was changed by any of it", async () => {
    assert.equal(await namespace.snapshot(), before);
    assert.deepEqual(laptop.journals(), []);
  });
});

Deno.test("a router image that cannot be pulled is told of, and nothing is left", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const { code, error, stdout } = await laptop.run([
    "mesh",
    "web",
    "--routerImage",
    "localhost/no-such-router:1",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  assert.equal(code, 5, stdout);
  assert.equal(error?.["code"], "POD_NOT_READY");
  assert.match(error!["message"], /"web-kt-router" did not start: .*Image/);
  assert.match(error!["hint"], /no-such-router.*--routerImage/);
  await assertNoTrace({ namespace, laptop, before });
  assert.match(await answerOf(client), /^web-/);
  const selector = ["get", "svc/web", "-o", "jsonpath={.spec.selector}"];
  assert.equal(succeeded(await namespace.kubectl(selector)), '{"app":"web"}');
});
