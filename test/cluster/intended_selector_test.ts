// What each of the usual tools means by a change of a Service that leads to a pod of ours, by what it
// leaves there.
import assert from "node:assert/strict";
import { appliedSelector } from "../../src/cluster/service/applied_selector.ts";
import { intendedSelector } from "../../src/cluster/service/intended_selector.ts";
import { switchPatch } from "../../src/cluster/service/service_selector.ts";
import { updateObject } from "../../src/cluster/object/update_object.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { SERVICES } from "../../src/kube/resources.ts";
import { openTestCluster, succeeded } from "./cluster.ts";

type Labels = Record<string, string>;

const shadow = { "kt-role": "shadow-exchange", "kt-target": "AbC" };
const blue = { app: "shop", version: "v1" };
const green = { app: "shop", version: "v2" };

function manifest(selector: Labels): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "shop" },
    spec: { selector, ports: [{ port: 80 }] },
  });
}

const patch = (type: string, body: unknown) => ({
  args: ["patch", "service/shop", `--type=${type}`, "-p", JSON.stringify(body)],
});
const onServer = ["apply", "--server-side", "--force-conflicts", "-f", "-"];

const changes: {
  title: string;
  /** What was applied before the Service was taken. @default blue */
  before?: Labels;
  args: string[];
  stdin?: string;
  meant: Labels;
}[] = [
  {
    title: "a strategic merge patch of one key",
    ...patch("strategic", { spec: { selector: { version: "v2" } } }),
    meant: green,
  },
  {
    title: "a merge patch of one key",
    ...patch("merge", { spec: { selector: { version: "v2" } } }),
    meant: green,
  },
  {
    title: "a JSON patch of one key",
    ...patch("json", [
      { op: "add", path: "/spec/selector/version", value: "v2" },
    ]),
    meant: green,
  },
  {
    title: "a JSON patch of the whole selector",
    ...patch("json", [
      { op: "replace", path: "/spec/selector", value: { app: "new" } },
    ]),
    meant: { app: "new" },
  },
  {
    title: "kubectl apply of the same manifest",
    args: ["apply", "-f", "-"],
    stdin: manifest(blue),
    meant: blue,
  },
  {
    title: "kubectl apply of a manifest with another value",
    args: ["apply", "-f", "-"],
    stdin: manifest(green),
    meant: green,
  },
  {
    title: "kubectl apply of a manifest with one key less",
    args: ["apply", "-f", "-"],
    stdin: manifest({ app: "shop" }),
    meant: { app: "shop" },
  },
  {
    title: "kubectl apply of a manifest that never had a key which was patched",
    before: { app: "shop" },
    args: ["apply", "-f", "-"],
    stdin: manifest({ app: "shop" }),
    meant: blue,
  },
  {
    title: "kubectl apply on the server's side",
    args: onServer,
    stdin: manifest({ app: "shop" }),
    meant: { app: "shop" },
  },
  {
    title: "kubectl replace",
    args: ["replace", "-f", "-"],
    stdin: manifest({ app: "shop" }),
    meant: { app: "shop" },
  },
  {
    title: "kubectl set selector",
    args: ["set", "selector", "service/shop", "app=shop"],
    meant: { app: "shop" },
  },
];

Deno.test("a Service that is taken returns to the selector that was meant by", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const { kubeconfig } = cluster;
  const kube = await connectKube({ kubeconfig, namespace: namespace.name });
  await using _ = kube;
  const ref = { resource: SERVICES, name: "shop" };
  for (const { title, before = blue, args, stdin, meant } of changes) {
    await t.step(title, async () => {
      await namespace.apply(manifest(before));
      if (before !== blue) {
        const { args } = patch("merge", { spec: { selector: blue } });
        succeeded(await namespace.kubectl(args));
      }
      const since = "2026-01-01T00:00:00Z";
      const taken = await updateObject(
        kube,
        ref,
        (service) =>
          switchPatch(service, { original: blue, shadow, user: "me", since }),
      );
      const applied = appliedSelector(taken!);
      assert.deepEqual(applied, before);
      succeeded(
        await namespace.kubectl(args, stdin === undefined ? {} : { stdin }),
      );
      const service = await kube.get(ref);
      assert.notDeepEqual(service.spec.selector, shadow);
      const last = { app: "last" };
      assert.deepEqual(
        intendedSelector(service, { shadow, last, applied }),
        meant,
      );
      await kube.delete(ref);
    });
  }
});
