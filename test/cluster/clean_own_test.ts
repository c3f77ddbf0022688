// Clean on the laptop whose own session died: it has a record of its own, and the cluster's word.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import type { KtctlResult } from "./ktctl_process.ts";
import {
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
} from "./laptop.ts";

function actions({ events }: KtctlResult): string[] {
  return events.filter(({ event }) => event === "action")
    .map(({ message }) => message.replace(/^would /, "")).sort();
}

const scale = ["exchange", "deploy/web", "--mode", "scale"];
const cases = [
  { command: ["exchange", "web"] },
  { command: scale },
  // without it the Deployment is found as the original ktctl leaves one
  { command: [...scale, "--keepReplicas", "0"], without: "web-kt-scaled" },
  { command: ["mesh", "web", "--versionMark", "demo"] },
];

for (const { command, without } of cases) {
  const how = without === undefined ? "" : ` and of ConfigMap ${without}`;
  Deno.test(`after the death of ${command.join(" ")}${how}, clean --dryRun prints just what clean then does`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({
      replicas: command.includes("scale") ? 2 : 1,
    });
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await namespace.snapshot();
    const expose = ["--expose", `${laptop.demo.port}:80`];
    await using session = laptop.start([...command, ...expose]);
    await session.ready();
    await session.stop("SIGKILL");
    if (without !== undefined) {
      succeeded(await namespace.kubectl(["delete", "configmap", without]));
    }
    const clean = ["clean", "--thresholdInMinus", "0"];
    await eventuallyByRuns("the agent knows its laptop is gone", async () => {
      const { events } = await other.run([...clean, "--dryRun"]);
      return events.some(({ event }) => event === "action");
    });
    const local = await laptop.run(["clean", "--localOnly"]);
    assert.equal(local.code, 0, local.stdout);
    assert.match(
      local.events.at(-1)!["reason"],
      new RegExp(`only the record .*${command[0]}.*ktctl clean undoes it`),
    );
    const planned = actions(await laptop.run([...clean, "--dryRun"]));
    assert.ok(planned.length > 1, planned.join("\n"));
    assert.equal(new Set(planned).size, planned.length);
    assert.equal(laptop.journals().length, 1);
    const done = await laptop.run(clean);
    assert.equal(done.code, 0, done.stdout);
    assert.deepEqual(actions(done), planned);
    // as controllers follow a change of replicas a moment later
    await eventually(
      "as before",
      async () => await namespace.snapshot() === before,
    );
    await assertNoTrace({ namespace, laptop, before });
  });
}

for (const verb of ["exchange", "mesh"]) {
  Deno.test(`what another laptop has recovered of ${verb} is not told as done again`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await namespace.snapshot();
    await using session = laptop.start([
      verb,
      "web",
      "--expose",
      `${laptop.demo.port}:80`,
    ]);
    await session.ready();
    await session.stop("SIGKILL");
    const recovered = await other.run(["recover", "web", "--takeOver"]);
    assert.equal(recovered.code, 0, recovered.stdout);
    for (const args of [["clean", "--dryRun"], ["clean"]]) {
      const result = await laptop.run(args);
      assert.equal(result.code, 0, result.stdout);
      assert.deepEqual(actions(result), []);
      assert.match(result.events.at(-1)!["reason"], /^Nothing to clean in/);
    }
    await assertNoTrace({ namespace, laptop, before });
    const local = await laptop.run(["clean", "--localOnly"]);
    assert.equal(
      local.events.at(-1)!["reason"],
      "Nothing to clean on this laptop",
    );
  });
}
