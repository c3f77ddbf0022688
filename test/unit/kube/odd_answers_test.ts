import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { denoDir } from "../../deno_dir.ts";
import { PODS, SERVICES } from "../../../src/kube/resources.ts";
import { clientOf, FakeApiServer, json, refusal } from "./fake_api_server.ts";
import { TempFolder } from "./temp_folder.ts";

const WEB = { metadata: { name: "web" } };
const named = (metadata: unknown) => ({ metadata });

const ODD_OBJECTS: readonly [answer: unknown, told: RegExp][] = [
  [null, /is no object/],
  [[], /is no object/],
  [7, /is no object/],
  ["text", /is no object/],
  [{}, /has no "metadata.name"/],
  [named(null), /has no "metadata.name"/],
  [named({ name: 7 }), /has no "metadata.name"/],
  [{ kind: "Pod", ...WEB }, /has another kind than "Service"/],
  [{ kind: "ServiceList", items: [] }, /has another kind than "Service"/],
  [named({ name: "web", labels: [] }), /"metadata.labels" of another type/],
  [named({ name: "web", annotations: { a: 7 } }), /"metadata.annotations"/],
  [{ ...WEB, spec: 7 }, /has a "spec" of another type/],
  [{ ...WEB, status: [] }, /has a "status" of another type/],
];

const ODD_LISTS: readonly [answer: unknown, told: RegExp][] = [
  [null, /is no list/],
  [[], /is no list/],
  ["text", /is no list/],
  [{}, /has no list "items"/],
  [{ items: {} }, /has no list "items"/],
  [{ kind: "PodList", items: {} }, /has no list "items"/],
  [{ kind: "Pod", ...WEB }, /is of another kind than a list/],
  [{ kind: "PodList", items: [WEB, 7] }, /"items\[1\]" is no object/],
  [{ items: [{}] }, /"items\[0\]" has no "metadata.name"/],
  [{ items: [], metadata: 7 }, /has a "metadata" of another type/],
];

for (const [answer, told] of ODD_OBJECTS) {
  Deno.test(`an object that is none is refused: ${JSON.stringify(answer)}`, async () => {
    await using server = await FakeApiServer.start([json(answer)]);
    await using api = clientOf(server.url);
    await assert.rejects(api.get({ resource: SERVICES, name: "web" }), {
      code: "API_ERROR",
      message: told,
      hint: /may answer in its place/,
    });
  });
}

for (const [answer, told] of ODD_LISTS) {
  Deno.test(`a list that is none is refused: ${JSON.stringify(answer)}`, async () => {
    await using server = await FakeApiServer.start([json(answer)]);
    await using api = clientOf(server.url);
    await assert.rejects(api.list(PODS), { code: "API_ERROR", message: told });
  });
}

Deno.test("an old server's empty list is an empty list", async () => {
  await using server = await FakeApiServer.start([
    json({ kind: "PodList", metadata: { resourceVersion: "1" }, items: null }),
  ]);
  await using api = clientOf(server.url);
  assert.deepEqual(await api.list(PODS), []);
});

for (
  const [code, fields] of [
    [500, { message: 7, details: [] }],
    [403, { message: { a: 1 }, details: { causes: 7 } }],
    [404, { message: [], details: { causes: [7], name: 7, kind: [] } }],
    [422, { message: null, details: { causes: [null, { message: 7 }] } }],
    [409, { reason: {}, details: "x" }],
  ] as const
) {
  Deno.test(`a refusal of status ${code} with fields of other types is still a refusal`, async () => {
    await using server = await FakeApiServer.start([refusal(code, fields)]);
    await using api = clientOf(server.url);
    const reading = api.get({ resource: SERVICES, name: "web" });
    await assert.rejects(reading, { message: /^Cannot read Service "web"/ });
  });
}

for (
  const [args, answer] of [
    [["clean"], {}],
    [["recover", "web"], null],
    [["exchange", "web", "--expose", "80", "--skipPortChecking"], []],
  ] as const
) {
  Deno.test(`ktctl ${args[0]} neither succeeds nor fails unexpectedly when a stranger answers ${JSON.stringify(answer)}`, async () => {
    await using folder = await TempFolder.make();
    await using server = await FakeApiServer.start([json(answer)]);
    const kubeconfig = await folder.write("config", {
      "current-context": "a",
      clusters: [{ name: "a", cluster: { server: server.url } }],
      contexts: [{ name: "a", context: { cluster: "a" } }],
    });
    const main = new URL("../cli/ktctl_here.ts", import.meta.url);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", fileURLToPath(main), folder.path],
        ...args,
        ...["--namespace", "shop", "--kubeconfig", kubeconfig],
      ],
      env: { HOME: folder.path, DENO_DIR: await denoDir() },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.equal(code, 5, said);
    assert.match(said, /the answer of "http:\/\/127.0.0.1:\d+" (is|has) no /);
  });
}
