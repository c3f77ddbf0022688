// A namespace that is not there is told of by every verb, before anything else is asked for.
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { refuseMissingNamespace } from "../../../src/cluster/discovery/refuse_missing_namespace.ts";
import { getNamed } from "../../../src/cluster/service/target.ts";
import { FileJournal } from "../../../src/undo/journal.ts";
import { SERVICES } from "../../../src/kube/resources.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
  refusal,
} from "../kube/fake_api_server.ts";
import { TempFolder } from "../kube/temp_folder.ts";

const NOT_FOUND = refusal(404, {
  message: 'namespaces "shpo" not found',
  reason: "NotFound",
  details: { name: "shpo", kind: "namespaces" },
});
const NO_SERVICE = refusal(404, {
  message: 'services "web" not found',
  reason: "NotFound",
  details: { name: "web", kind: "services" },
});
const FORBIDDEN = refusal(403, {
  message:
    'namespaces "shop" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "shop"',
  reason: "Forbidden",
});
const NAMESPACES = json({
  kind: "NamespaceList",
  metadata: {},
  items: [{ metadata: { name: "shop" } }],
});

const main = fileURLToPath(new URL("../cli/ktctl_here.ts", import.meta.url));

async function ktctl(args: readonly string[], env: Record<string, string>) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      main,
      "/nonexistent",
      ...args,
      "--output",
      "json",
    ],
    env,
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return { code, events: lines.map((line) => JSON.parse(line)) };
}

const answer: Answer = (request, response) =>
  (request.url.endsWith("/shpo") ? NOT_FOUND : NAMESPACES)(request, response);

async function environment(folder: TempFolder, server: FakeApiServer) {
  const kubeconfig = await folder.write("config", {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    clusters: [{ name: "it", cluster: { server: server.url } }],
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    users: [{ name: "it", user: {} }],
  });
  return { KUBECONFIG: kubeconfig, XDG_STATE_HOME: folder.path };
}

Deno.test("a namespace that is not there is refused by every verb, and nothing is changed", async () => {
  await using folder = await TempFolder.make();
  await using server = await FakeApiServer.start([answer]);
  const env = await environment(folder, server);
  for (
    const verb of [
      ["exchange", "web", "--expose", "80"],
      ["mesh", "web", "--expose", "80"],
      ["preview", "web", "--expose", "80"],
      ["connect", "--disableTunDevice"],
      ["forward", "web"],
      ["forward", "db.example.com:80"],
      ["recover", "web"],
      ["clean"],
    ]
  ) {
    const { code, events } = await ktctl([...verb, "-n", "shpo"], env);
    const title = verb.join(" ");
    const error = events.find(({ event }) => event === "error");
    assert.equal(error?.code, "NAMESPACE_NOT_FOUND", title);
    assert.match(error.message, /no namespace "shpo"/);
    assert.equal(error.hint, 'Did you mean "shop"?');
    assert.equal(events.at(-1).state, "unchanged", title);
    assert.equal(code, 5, title);
  }
  assert.ok(server.requests.every(({ method }) => method === "GET"));
});

Deno.test("clean looks at what dead sessions changed elsewhere before it refuses a namespace", async () => {
  await using folder = await TempFolder.make();
  await using server = await FakeApiServer.start([answer]);
  const env = await environment(folder, server);
  const journal = new FileJournal(join(folder.path, "ktctl", "sessions"), {
    type: "session",
    version: 1,
    session: "dead",
    pid: 1,
    command: "exchange web",
    kubeconfig: null,
    context: "it",
    server: server.url,
    namespace: "shop",
    startedAt: 0,
  });
  journal.append({ type: "intent", n: 1, step: "of.a.plugin", args: {} });
  journal.close();
  const { code, events } = await ktctl(["clean", "-n", "shpo"], env);
  const codes = events.map((event) => event.code).filter(Boolean);
  assert.deepEqual(codes, ["STEP_UNKNOWN", "NAMESPACE_NOT_FOUND"]);
  assert.equal(events.at(-1).state, "incomplete");
  assert.equal(code, 5);
});

Deno.test("who may not look at the namespace is not kept from working in it", async () => {
  await using server = await FakeApiServer.start([FORBIDDEN]);
  await using kube = clientOf(server.url);
  await refuseMissingNamespace(kube, new AbortController().signal);
  assert.equal(server.requests.length, 1);
});

Deno.test("a namespace that is not there is told with how to find one, where they may not be listed", async () => {
  await using server = await FakeApiServer.start([NOT_FOUND, FORBIDDEN]);
  await using kube = clientOf(server.url);
  await assert.rejects(
    refuseMissingNamespace(kube, new AbortController().signal),
    { code: "NAMESPACE_NOT_FOUND", hint: /kubectl get namespaces/ },
  );
});

/** A server where Services named "web" are in some namespaces. */
function elsewhere(...namespaces: string[]): Answer {
  return (request, response) => {
    if (!request.url.startsWith("/api/v1/services?")) {
      return answer(request, response);
    }
    assert.match(request.url, /fieldSelector=metadata\.name%3Dweb/);
    const items = namespaces.map((namespace) => ({
      metadata: { name: "web", namespace },
    }));
    json({ kind: "ServiceList", metadata: {}, items })(request, response);
  };
}

const WANTED = { resource: SERVICES, name: "web" };

for (
  const [namespaces, hint] of [
    [
      ["stage"],
      /^Did you mean "shop"\? Namespace "stage" has a Service "web": add -n stage\.$/,
    ],
    [
      ["g", "f", "e", "d", "c", "b", "a"],
      /Namespaces "a", "b", "c", "d", "e" and 2 more have a Service "web"/,
    ],
    [[], /^Did you mean "shop"\?$/],
  ] as const
) {
  Deno.test(`a namespace that is not there is told with the ${namespaces.length} that have what is looked for`, async () => {
    await using server = await FakeApiServer.start([elsewhere(...namespaces)]);
    await using kube = clientOf(server.url, { namespace: "shpo" });
    const { signal } = new AbortController();
    await assert.rejects(refuseMissingNamespace(kube, signal, WANTED), {
      hint,
    });
  });
}

Deno.test("a Service that is in another namespace is told with that", async () => {
  await using server = await FakeApiServer.start([(request, response) => {
    const isOne = request.url.endsWith("/services/web");
    (isOne ? NO_SERVICE : elsewhere("stage"))(request, response);
  }]);
  await using kube = clientOf(server.url);
  const { signal } = new AbortController();
  await assert.rejects(getNamed(kube, SERVICES, { name: "web", signal }), {
    code: "SERVICE_NOT_FOUND",
    hint: 'Namespace "stage" has a Service "web": add -n stage.',
  });
});

Deno.test("where all namespaces may not be looked through, what is in this one is told", async () => {
  await using server = await FakeApiServer.start([(request, response) => {
    const isOne = request.url.endsWith("/services/web");
    const isAll = request.url.startsWith("/api/v1/services?");
    (isOne ? NO_SERVICE : isAll ? FORBIDDEN : NAMESPACES)(request, response);
  }]);
  await using kube = clientOf(server.url);
  const { signal } = new AbortController();
  await assert.rejects(getNamed(kube, SERVICES, { name: "web", signal }), {
    hint: 'There are "shop".',
  });
});
