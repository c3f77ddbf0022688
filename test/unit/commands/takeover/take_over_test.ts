// `--takeOver` as a process, before an API server with a Deployment of two Services, one of which was taken.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  type Answer,
  FakeApiServer,
  json,
} from "../../kube/fake_api_server.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

const main = fileURLToPath(
  new URL("../../cli/ktctl_here.ts", import.meta.url),
);

const LABELS = { app: "web" };

const service = (name: string, spec: object, annotations = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop", uid: `uid-${name}`, annotations },
  spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }], ...spec },
});

/** The first by its name is nobody's. */
const FREE = service("a-free", { selector: LABELS });
const TAKEN = service(
  "b-taken",
  { selector: { "kt-role": "shadow-exchange", "kt-target": "x".repeat(20) } },
  { "kt-selector": JSON.stringify(LABELS) },
);

const answer: Answer = (request, response) => {
  const { method, url } = request;
  const [path = ""] = url.split("?");
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop", uid: "uid-web" },
    spec: { template: { metadata: { labels: LABELS } } },
  };
  const objects: Record<string, object> = {
    "/api/v1/namespaces/shop": {
      kind: "Namespace",
      metadata: { name: "shop" },
    },
    "/api/v1/namespaces/shop/services/b-taken": TAKEN,
    "/api/v1/namespaces/shop/services": list(FREE, TAKEN),
    "/apis/apps/v1/namespaces/shop/deployments/web": deployment,
  };
  const found = method === "GET"
    ? objects[path] ?? (/s$/.test(path) ? list() : undefined)
    : TAKEN;
  const status = found === undefined ? 404 : 200;
  json(found ?? {}, { status })(request, response);
};

function list(...items: object[]) {
  return { kind: "List", metadata: { resourceVersion: "1" }, items };
}

async function exchange(server: FakeApiServer, ...args: string[]) {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write("config", {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    clusters: [{ name: "it", cluster: { server: server.url } }],
    contexts: [{ name: "it", context: { cluster: "it", namespace: "shop" } }],
  });
  const words = ["exchange", ...args, "--takeOver", "--output", "json"];
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, "/nonexistent", ...words],
    env: {
      KUBECONFIG: kubeconfig,
      XDG_STATE_HOME: folder.path,
      XDG_CONFIG_HOME: "/nonexistent",
    },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { code, events: lines.map((line) => JSON.parse(line)) };
}

for (
  const [title, expose, code] of [
    ["no program here", "1:80", "LOCAL_PORT_CLOSED"],
    ["no such port", "81", "EXPOSE_UNKNOWN_PORT"],
  ]
) {
  Deno.test(`who has ${title} to take a Service for takes it from nobody`, async () => {
    await using server = await FakeApiServer.start([answer]);
    const { code: exitCode, events } = await exchange(
      server,
      ...["b-taken", "--expose", expose!],
    );
    const error = events.find(({ event }) => event === "error");
    assert.equal(error?.code, code);
    assert.equal(exitCode, 2);
    assert.ok(server.requests.every(({ method }) => method === "GET"));
  });
}

Deno.test("of a Deployment's Services, the one that is taken from somebody is the one that is taken", async () => {
  using program = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = program.addr as Deno.NetAddr;
  await using server = await FakeApiServer.start([answer]);
  const { events } = await exchange(
    server,
    ...["deploy/web", "--expose", `${port}:80`],
  );
  const warnings = events.filter(({ code }) => code === "SEVERAL_SERVICES");
  assert.deepEqual(warnings.map(({ message }) => message), [
    'Taking Service "b-taken" of Deployment "web"; it also has "a-free"',
  ]);
  const written = server.requests.filter(({ method }) => method !== "GET");
  assert.ok(written.length > 0);
  assert.ok(
    written.every(({ url }) => !url.includes("a-free")),
    written[0]!.url,
  );
});
