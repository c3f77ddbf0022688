// What a teammate who may write into a namespace gets others' ktctl to do by that: nothing.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import type { KtctlResult } from "./ktctl_process.ts";
import { eventually, Laptop } from "./laptop.ts";
import { PARKED, target } from "./original_leftovers.ts";

const OLD = String(Math.floor(Date.now() / 1000) - 10 * 60);

/** The record of a router as the first version wrote it, with one dead participant. */
function record(fields: Record<string, unknown> & { service: string }) {
  return JSON.stringify({
    version: 1,
    image: "evil:1",
    podName: `${fields.service}-kt-router`,
    original: { app: "evil" },
    origin: "",
    ports: [{ name: "kt-8080", port: 8080, servicePort: 80 }],
    statusPort: 9900,
    runtimePort: 9901,
    lowPorts: false,
    participants: [{
      session: "gone",
      user: "mallory",
      since: "2020-01-01T00:00:00.000Z",
      mark: { key: "version", value: "gone" },
      slot: 1,
    }],
    ...fields,
  });
}

function router(name: string, state: string, podTarget = target(name)) {
  return object("ConfigMap", `${name}-kt-router`, {
    labels: { "kt-role": "router", "kt-target": podTarget },
    annotations: { "ktctl.dev/router": "1" },
    data: { "state.json": state },
  });
}

function object(
  kind: string,
  name: string,
  { labels = {}, annotations = {}, ...rest }: {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  },
) {
  return {
    apiVersion: "v1",
    kind,
    metadata: {
      name,
      labels: { "control-by": "kt", ...labels },
      annotations: { "kt-last-heart-beat": OLD, ...annotations },
    },
    ...rest,
  };
}

/** Services of the user's own; some lead to a router that is gone. */
function service(name: string, original?: string) {
  const isSwitched = original !== undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      annotations: isSwitched ? { "kt-selector": original } : {},
    },
    spec: {
      selector: isSwitched
        ? { "kt-role": "router", "kt-target": target(name) }
        : { app: name },
      ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  };
}

async function create(
  namespace: TestNamespace,
  items: readonly object[],
): Promise<void> {
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  succeeded(await namespace.kubectl(["create", "-f", "-"], { stdin }));
}

async function get(
  namespace: TestNamespace,
  what: string,
  path: string,
): Promise<string> {
  const args = ["get", what, "-o", `jsonpath={${path}}`];
  return succeeded(await namespace.kubectl(args));
}

async function names(namespace: TestNamespace): Promise<string[]> {
  const kinds = "services,configmaps,secrets,pods";
  const list = ["get", kinds, "-l", "control-by=kt", "-o", "name"];
  return succeeded(await namespace.kubectl(list)).trim().split("\n").filter(
    (line) => line !== "",
  ).sort();
}

const warned = ({ events }: KtctlResult) =>
  events.filter(({ event, code }) =>
    event === "warning" && code === "OBJECT_UNREADABLE"
  ).map(({ message }) => /^(\S+ "\S+") is left/.exec(message)?.[1]).sort();

Deno.test("objects that somebody planted make clean, recover and mesh touch nothing of others, and run nothing of theirs", async (t) => {
  const cluster = await openTestCluster();
  await using victims = await cluster.namespace();
  await using namespace = await cluster.namespace();
  await victims.applyDemo();
  await using bob = await Laptop.open(cluster, victims, "bob");
  await using alice = await Laptop.open(cluster, namespace, "alice");
  const expose = (laptop: Laptop) => ["--expose", `${laptop.demo.port}:80`];
  await using mesh = bob.start([
    "mesh",
    "web",
    ...expose(bob),
    "--versionMark",
    "bob",
  ]);
  await mesh.ready();
  const client = await victims.client();
  const theirs = () =>
    Promise.all([
      get(victims, "service/web", ".spec.selector"),
      get(victims, "pod/web-kt-router", ".metadata.uid"),
      get(victims, "configmap/web-kt-router", ".metadata.uid"),
    ]);
  const before = await theirs();
  const liveTarget = await get(
    victims,
    "configmap/web-kt-router",
    ".metadata.labels.kt-target",
  );
  /** Nobody may take them for a dead session's, whatever is in them. */
  const forged = [
    router(
      "web",
      record({ service: "web", namespace: victims.name }),
      liveTarget,
    ),
    router("db", "garbage"),
    router("large", record({ service: "large", more: "x".repeat(600_000) })),
    object("Secret", "forged", {
      labels: { "kt-target": "forged" },
      annotations: { "ktctl.dev/shared": "1", "ktctl.dev/sharers": "null" },
    }),
    object("ConfigMap", "eternal", {
      annotations: { "kt-last-heart-beat": "9".repeat(30) },
    }),
  ];
  await create(namespace, [
    service("web"),
    service("good", '{"app":"good"}'),
    service("lost", "garbage"),
    ...forged,
    router("good", record({ service: "good", namespace: namespace.name })),
    object("Service", "lost-kt-stuntman", {
      spec: { ports: [{ port: 80 }], selector: { app: "lost" } },
    }),
    object("Pod", "old-kt-exchange-abcde", {
      labels: { "kt-role": "shadow-exchange" },
      spec: PARKED,
    }),
    object("ConfigMap", "late", {
      annotations: { "kt-last-heart-beat": "9999999999" },
    }),
  ]);
  const named = forged.map(({ kind, metadata: { name } }) =>
    `${kind} "${name}"`
  ).sort();
  const kept = forged.map(({ kind, metadata: { name } }) =>
    `${kind.toLowerCase()}/${name}`
  );

  await t.step("recover names what is in its way, and leaves it", async () => {
    const result = await alice.run(["recover", "web"]);
    assert.equal(result.code, 0, result.stdout);
    assert.deepEqual(warned(result), ['ConfigMap "web-kt-router"']);
  });

  await t.step("clean names them, and cleans the rest", async () => {
    const result = await alice.run(["clean"]);
    assert.equal(result.code, 9, result.stdout);
    assert.deepEqual(warned(result), named);
    assert.match(
      result.error?.["details"].join("\n"),
      /^Cannot restore the selector of Service "lost".*kt-selector/,
    );
    assert.deepEqual(
      await names(namespace),
      [...kept, "service/lost-kt-stuntman"].sort(),
    );
    assert.deepEqual(
      JSON.parse(await get(namespace, "service/good", ".spec.selector")),
      { app: "good" },
    );
  });

  await t.step(
    "recover changes nothing where it could not finish, and says what to run",
    async () => {
      const shadow = object("Pod", "lost-kt-router", {
        labels: { "kt-role": "router", "kt-target": target("lost") },
        annotations: { "kt-config": "service=lost" },
        spec: PARKED,
      });
      await create(namespace, [shadow]);
      const result = await alice.run(["recover", "lost", "--takeOver"]);
      assert.equal(result.code, 5, result.stdout);
      assert.equal(result.error?.["code"], "SELECTOR_LOST");
      const told = ".metadata.annotations.ktctl\\.dev/released";
      assert.equal(await get(namespace, "pod/lost-kt-router", told), "");
      const [, set = "", recover = ""] =
        /`kubectl (.*)`, then run `ktctl (.*)`\.$/.exec(
          result.error?.["hint"],
        ) ??
          [];
      succeeded(await namespace.kubectl(set.split(" ")));
      const again = await alice.run(recover.split(" "));
      assert.equal(again.code, 0, again.stdout);
      assert.deepEqual(await names(namespace), kept.toSorted());
      const last = await get(namespace, "service/lost", ".spec.selector");
      assert.deepEqual(JSON.parse(last), { app: "lost" });
    },
  );

  await t.step("clean goes on saying so until they are gone", async () => {
    succeeded(await namespace.kubectl(["delete", "service", "lost"]));
    const again = await alice.run(["clean"]);
    assert.equal(again.code, 9, again.stdout);
    assert.equal(again.error?.["code"], "OBJECT_UNREADABLE");
    assert.deepEqual(await names(namespace), kept.toSorted());
    succeeded(await namespace.kubectl(["delete", ...kept]));
    const last = await alice.run(["clean"]);
    assert.equal(last.code, 0, last.stdout);
  });

  await t.step("mesh runs the image that its own user names", async () => {
    await create(namespace, [
      router("web", record({ service: "web", namespace: namespace.name })),
    ]);
    await using joining = alice.start([
      "mesh",
      "web",
      ...expose(alice),
      "--versionMark",
      "alice",
      "--routerImage",
      "haproxy:2.6",
    ]);
    const image = () =>
      namespace.kubectl([
        "get",
        "pod/web-kt-router",
        "-o",
        "jsonpath={.spec.containers[0].image}",
      ]);
    await eventually(
      "there is a Router Pod",
      async () => (await image()).code === 0,
    );
    assert.equal(succeeded(await image()), "haproxy:2.6");
    assert.equal(
      await get(namespace, "service/web-kt-stuntman", ".spec.selector.app"),
      "web",
    );
    await joining.stop();
  });

  assert.deepEqual(await theirs(), before);
  const { stdout } = await client.curl("-H", "version: bob", "http://web/");
  assert.equal(stdout, "demo pod=bob\n");
  assert.equal((await mesh.stop()).code, 0);
});
