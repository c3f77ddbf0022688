// A session with a stranger's plugin was killed, and its laptop is gone: another one cleans up.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { eventuallyByRuns, Laptop } from "./laptop.ts";

/** Makes a Service that leads to the laptop, and marks it as its session's. */
const PLUGIN = `
const services = { apiVersion: "v1", kind: "Service", plural: "services", namespaced: true };
const SESSION = "ktctl.dev/session";
const step = {
  id: "own-name.service",
  describe: ({ name }) => \`Service "\${name}"\`,
  undoCommand: ({ name, namespace }) => \`kubectl delete service \${name} -n \${namespace}\`,
  async apply({ namespace, name, session }, spec, { kube }) {
    const metadata = { namespace, name, annotations: { "own-name": "1", [SESSION]: session } };
    await kube.create(services, { metadata, spec });
  },
  async revert({ namespace, name, session }, { kube }, signal) {
    const ref = { resource: services, name, namespace };
    const found = await kube.find(ref, { signal });
    if (found?.metadata.annotations?.[SESSION] !== session) return;
    await kube.delete(ref, { signal, uid: found.metadata.uid });
  },
  find: ({ services, namespace, isOver }) =>
    services.filter((one) => one.metadata.annotations?.["own-name"] === "1" && isOver(one))
      .map((object) => {
        const { name, annotations } = object.metadata;
        const args = { namespace, name, session: annotations[SESSION] };
        return { args, object, action: \`delete Service "\${name}"\` };
      }),
};
export default {
  apiVersion: 1, kind: "routing", name: "own-name", summary: "a Service of its own",
  verbs: ["exchange"], steps: [step],
  probe: () => ({ ok: true }),
  plan: ({ target }) => ({
    namePrefix: target.service.metadata.name, config: "", fallback: false,
    takesAll: false, ready: "attached",
  }),
  async route({ scope, target, shadowLabels, session, kube }) {
    const args = { namespace: kube.namespace, name: "own", session };
    await scope.run(step, args, { selector: { ...shadowLabels }, ports: target.service.spec.ports });
  },
};`;

Deno.test("clean from another laptop takes back what a killed session's plugin changed; without the plugin it leaves all of the session, and says which plugin and which commands it takes", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  const file = `${laptop.stateHome}/own_name.ts`;
  await Deno.writeTextFile(file, PLUGIN);
  const before = await namespace.snapshot();
  await using exchange = laptop.start([
    ...["exchange", "web", "--expose", `${laptop.demo.port}:80`],
    ...["--plugin", file, "--mode", "own-name"],
  ]);
  await exchange.ready();
  await exchange.stop("SIGKILL");

  const clean = ["clean", "--thresholdInMinus", "0"];
  let message = "";
  await eventuallyByRuns("clean finds the session dead", async () => {
    const { code, events, stdout } = await other.run(clean);
    const needed = events.find((one) => one["code"] === "PLUGIN_NEEDED");
    assert.equal(code, needed === undefined ? 0 : 9, stdout);
    assert.ok(!events.some(({ event }) => event === "action"), stdout);
    message = needed?.["message"] ?? "";
    return needed !== undefined;
  });
  assert.match(message, /"own-name" \(own_name\.ts\)/);
  assert.match(
    message,
    new RegExp(`\`kubectl delete service own -n ${namespace.name}\`, then`),
  );
  const left = await namespace.kubectl(["get", "service,pod", "-o", "name"]);
  assert.match(left.stdout, /service\/own\n/);
  assert.match(left.stdout, /pod\/web-kt-exchange-/);

  const planned = await other.run([...clean, "--plugin", file, "--dryRun"]);
  const added = await other.run(["plugin", "add", file]);
  assert.equal(added.code, 0, added.stdout);
  // it is not named, but the Shadow Pod names it
  const done = await other.run(clean);
  assert.equal(done.code, 0, done.stdout);
  const actions = [planned, done].map(({ events }) =>
    events.filter(({ event }) => event === "action")
      .map((one) => one["message"].replace(/^would /, ""))
  );
  assert.deepEqual(actions[1], actions[0]);
  assert.deepEqual(actions[1]?.[0], 'delete Service "own"');
  assert.match(actions[1]?.[1], /^delete Pod "web-kt-exchange-/);
  assert.equal(await namespace.snapshot(), before);
});
