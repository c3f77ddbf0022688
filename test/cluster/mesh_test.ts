// Several developers on one Service: who joins, who leaves, who dies.
import assert from "node:assert/strict";
import { type ClientPod, openTestCluster, succeeded } from "./cluster.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
  untouched,
} from "./laptop.ts";

/** Who answers a request with that header; where nobody does, what curl says. */
async function markedAnswer(
  client: ClientPod,
  header: string,
): Promise<string> {
  const { stdout, stderr } = await client.curl(
    ...["-m", "3", "-H", header],
    "http://web/",
  );
  return /^demo pod=(\S+)\n$/.exec(stdout)?.[1] ?? `none: ${stdout}${stderr}`;
}

function startMesh(
  laptop: Laptop,
  mark: string,
  options: { user?: string; args?: readonly string[] } = {},
): KtctlProcess {
  const { user = mark, args = [] } = options;
  const expose = ["--expose", `${laptop.demo.port}:80`];
  return laptop.start(
    ["mesh", "web", ...expose, "--versionMark", mark, ...args],
    { user },
  );
}

Deno.test("mesh brings marked requests here, and no others, until SIGHUP", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using mesh = startMesh(laptop, "demo");
  const { message, mark } = await mesh.ready();
  assert.deepEqual(mark, { key: "version", value: "demo" });
  assert.match(message, /header "version: demo".*curl -H 'version: demo'/);
  for (let i = 0; i < 10; i++) {
    assert.equal(await markedAnswer(client, "version: demo"), "laptop");
    assert.match(await answerOf(client), /^web-/);
    assert.match(await markedAnswer(client, "version: demon"), /^web-/);
  }
  // the line that it prints works as it is
  const [, line = ""] = /(curl -H .*?)\. Press Ctrl-C/.exec(message) ?? [];
  const printed = await client.exec([
    "sh",
    "-c",
    line.replace("curl", "curl -s"),
  ]);
  assert.equal(succeeded(printed), "demo pod=laptop\n");
  assert.equal(laptop.journals().length, 1);

  const { code, stdout, stderr } = await mesh.stop("SIGHUP");
  assert.equal(code, 0, stdout + stderr);
  await assertNoTrace({ namespace, laptop, before });
  assert.match(await markedAnswer(client, "version: demo"), /^web-/);
});

Deno.test("three developers share one router, each with a mark of their own; whoever leaves last puts the Service back", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  await using carol = await Laptop.open(cluster, namespace, "carol");
  const before = await namespace.snapshot();
  await using first = startMesh(alice, "0.0.1", { user: "alice" });
  await first.ready();
  // two at once, one under a header of her own
  await using second = startMesh(bob, "bob");
  await using third = startMesh(carol, "kt-mark:carol", { user: "carol" });
  await Promise.all([second.ready(), third.ready()]);
  const answers = () =>
    Promise.all([
      markedAnswer(client, "version: 0.0.1"),
      markedAnswer(client, "version: bob"),
      markedAnswer(client, "KT-Mark: carol"),
      markedAnswer(client, "x-kt-mark: carol"),
      answerOf(client),
    ]);
  const [a, b, c, d, e] = await answers();
  assert.deepEqual([a, b, c], ["alice", "bob", "carol"]);
  assert.match(`${d} ${e}`, /^web-\S+ web-\S+$/);
  const routers = ["get", "pods", "-l", "kt-role=router", "-o", "name"];
  assert.equal(
    succeeded(await namespace.kubectl(routers)),
    "pod/web-kt-router\n",
  );

  // the founder leaves first
  assert.equal((await first.stop()).code, 0);
  const [a2, b2, c2] = await answers();
  assert.match(a2, /^web-/);
  assert.deepEqual([b2, c2], ["bob", "carol"]);
  assert.equal((await third.stop()).code, 0);
  assert.equal(await markedAnswer(client, "version: bob"), "bob");
  assert.match(await markedAnswer(client, "kt-mark: carol"), /^web-/);
  assert.equal((await second.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: bob, before });
  assert.match(await answerOf(client), /^web-/);
});

Deno.test("a developer who died does not keep the router: the last one who leaves puts the Service back, clean does the rest", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using dead = startMesh(alice, "alice");
  await dead.ready();
  await using live = startMesh(bob, "bob");
  await live.ready();
  assert.equal(await markedAnswer(client, "version: alice"), "alice");
  dead.kill("SIGKILL");
  const ms = await eventually(
    "the original answers for alice",
    async () =>
      (await markedAnswer(client, "version: alice")).startsWith("web-"),
    5_000,
  );
  console.log(`the original answers ${ms} ms after alice's death`);
  assert.equal(await markedAnswer(client, "version: bob"), "bob");

  assert.equal((await live.stop()).code, 0);
  const selector = ["get", "svc/web", "-o", "jsonpath={.spec.selector}"];
  assert.equal(succeeded(await namespace.kubectl(selector)), '{"app":"web"}');
  const left = await namespace.kubectl(["get", "pods,svc,cm", "-o", "name"]);
  assert.doesNotMatch(succeeded(left), /kt-router|kt-stuntman/);
  const cleaned = await bob.run(["clean", "--thresholdInMinus", "0"]);
  assert.equal(cleaned.code, 0, cleaned.stdout);
  assert.equal(await namespace.snapshot(), before);
});

for (const verb of ["clean", "recover"]) {
  Deno.test(`after everybody's death ${verb} from another laptop restores all`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using alice = await Laptop.open(cluster, namespace, "alice");
    await using bob = await Laptop.open(cluster, namespace, "bob");
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await namespace.snapshot();
    await using first = startMesh(alice, "alice");
    await first.ready();
    await using second = startMesh(bob, "bob");
    await second.ready();
    const refused = await other.run(["recover", "web"]);
    assert.equal(refused.error?.["code"], "SERVICE_IN_USE", refused.stdout);
    await Promise.all([first.stop("SIGKILL"), second.stop("SIGKILL")]);
    // the router and the agents do without anybody
    for (let i = 0; i < 5; i++) assert.match(await answerOf(client), /^web-/);
    const args = verb === "clean"
      ? ["clean", "--thresholdInMinus", "0"]
      : ["recover", "web"];
    await eventuallyByRuns("the agents see that nobody is there", async () => {
      const { code, events, stdout } = await other.run(args);
      if (code === 7) return false;
      assert.equal(code, 0, stdout);
      return events.some(({ message = "" }) =>
        /restore the selector of Service "web" to app=web/.test(message)
      );
    });
    assert.equal(await namespace.snapshot(), before);
    assert.match(await answerOf(client), /^web-/);
  });
}

Deno.test("clean takes a dead developer out of a router that others use, and leaves them alone", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  await using other = await Laptop.open(cluster, namespace, "other");
  const before = await namespace.snapshot();
  await using dead = startMesh(alice, "alice");
  await dead.ready();
  await using live = startMesh(bob, "bob");
  await live.ready();
  await dead.stop("SIGKILL");
  await eventuallyByRuns("clean finds alice dead", async () => {
    const { code, events } = await other.run([
      "clean",
      "--thresholdInMinus",
      "0",
    ]);
    assert.equal(code, 0);
    return events.some(({ message = "" }) =>
      message ===
        `take alice's "version: alice" out of the router of Service "web"`
    );
  });
  assert.equal(await markedAnswer(client, "version: bob"), "bob");
  assert.match(await markedAnswer(client, "version: alice"), /^web-/);
  // and the mark is free again
  await using again = startMesh(other, "alice", { user: "other" });
  await again.ready();
  assert.equal(await markedAnswer(client, "version: alice"), "other");
  assert.equal((await again.stop()).code, 0);
  assert.equal((await live.stop()).code, 0);
  await untouched(namespace, before);
});

Deno.test("a recover that takes over ends everybody's mesh", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using first = startMesh(alice, "alice");
  await first.ready();
  await using second = startMesh(bob, "bob");
  await second.ready();
  const taken = await bob.run(["recover", "web", "--takeOver"]);
  assert.equal(taken.code, 0, taken.stdout);
  for (const mesh of [first, second]) {
    const { code, error } = await mesh.ended(20_000);
    assert.equal(code, 7);
    assert.equal(error?.["code"], "SERVICE_RECOVERED");
  }
  await untouched(namespace, before);
  assert.match(await answerOf(client), /^web-/);
});

Deno.test("a mark that somebody has is refused to the next, who is told of them", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using mesh = startMesh(alice, "demo", { user: "alice" });
  await mesh.ready();
  const expose = ["--expose", `${bob.demo.port}:80`];
  const same = await bob.run(
    ["mesh", "web", ...expose, "--versionMark", "demo"],
    { user: "bob" },
  );
  assert.equal(same.code, 7, same.stdout);
  assert.equal(same.error?.["code"], "MARK_TAKEN");
  assert.match(same.error!["message"], /alice has that mark since \d{4}-/);
  const alike = await bob.run(
    ["mesh", "web", ...expose, "--versionMark", "kt-mark:demo"],
    { user: "bob" },
  );
  assert.equal(alike.code, 7, alike.stdout);
  assert.match(
    alike.error!["message"],
    /alice has "version: demo" since .* both would be named "web-kt-mesh-demo"/,
  );
  for (const mode of ["selector", "scale"]) {
    const exchanged = await bob.run(
      ["exchange", "web", "--mode", mode, ...expose],
      { user: "bob" },
    );
    assert.equal(exchanged.code, 7, exchanged.stdout);
    assert.equal(exchanged.error?.["code"], "SERVICE_MESHED");
    assert.match(exchanged.error!["message"], /alice has meshed it/);
  }
  const manual = await bob.run(
    ["mesh", "web", "--mode", "manual", ...expose],
    { user: "bob" },
  );
  assert.equal(manual.code, 7, manual.stdout);
  assert.equal(await markedAnswer(client, "version: demo"), "alice");
  assert.deepEqual(bob.journals(), []);
  assert.equal((await mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: alice, before });

  await using exchange = alice.start([
    "exchange",
    "web",
    "--expose",
    `${alice.demo.port}:80`,
  ], { user: "alice" });
  await exchange.ready();
  for (const mode of ["auto", "manual"]) {
    const meshed = await bob.run(
      ["mesh", "web", "--mode", mode, ...expose],
      { user: "bob" },
    );
    assert.equal(meshed.code, 7, meshed.stdout);
    assert.equal(meshed.error?.["code"], "SERVICE_ALREADY_EXCHANGED");
    assert.match(
      meshed.error!["message"],
      /alice \(on \S+\) has exchanged it since/,
    );
  }
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: bob, before });
});

Deno.test("when the Shadow Pod is deleted, the mesh comes back by itself and the others do not notice", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using first = startMesh(alice, "alice");
  await first.ready();
  await using second = startMesh(bob, "bob");
  await second.ready();
  const up = first.linkUp();
  const start = performance.now();
  const remove = [
    "delete",
    "pod",
    "web-kt-mesh-alice",
    "--force",
    "--grace-period=0",
  ];
  succeeded(await namespace.kubectl(remove));
  assert.equal(await markedAnswer(client, "version: bob"), "bob");
  assert.match(await answerOf(client), /^web-/);
  await up;
  console.log(`back after ${Math.round(performance.now() - start)} ms`);
  assert.equal(await markedAnswer(client, "version: alice"), "alice");
  assert.equal((await second.stop()).code, 0);
  assert.equal((await first.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: alice, before });
});

Deno.test("a manifest that is applied again while the Service is meshed changes what it returns to, and nothing else", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using mesh = startMesh(laptop, "demo");
  await mesh.ready();
  const drifted = mesh.next(({ code }) => code === "SERVICE_DRIFTED");
  const patch = '{"spec":{"selector":{"app":"web","tier":"none"}}}';
  succeeded(await namespace.kubectl(["patch", "svc", "web", "-p", patch]));
  await drifted;
  await eventually(
    "marked requests come here again",
    async () => await markedAnswer(client, "version: demo") === "laptop",
  );
  assert.equal((await mesh.stop()).code, 0);
  const selector = ["get", "svc/web", "-o", "jsonpath={.spec.selector}"];
  assert.deepEqual(
    JSON.parse(succeeded(await namespace.kubectl(selector))),
    { app: "web", tier: "none" },
  );
});
