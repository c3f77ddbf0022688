// What one user sees of another who was there first.
import assert from "node:assert/strict";
import { clusterNow } from "./clock.ts";
import { openTestCluster, succeeded } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";

const RFC_3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/;

for (
  const { title, alices, other, firstCode, isBobNext = false } of [
    {
      title: "exchange",
      alices: ["exchange", "web"],
      other: "scale",
      firstCode: "SERVICE_ALREADY_EXCHANGED",
    },
    {
      title: "exchange (scale)",
      alices: ["exchange", "web", "--mode", "scale"],
      other: "scale",
      firstCode: "SERVICE_ALREADY_EXCHANGED",
    },
    {
      title: "exchange (scale to 0)",
      alices: ["exchange", "web", "--mode", "scale", "--keepReplicas", "0"],
      other: "selector",
      firstCode: "SERVICE_ALREADY_EXCHANGED",
      isBobNext: true,
    },
  ]
) {
  Deno.test(`while alice has the Service by ${title}, bob is refused and told of her`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const twin = ["expose", "deployment", "web", "--name=twin", "--port=80"];
    succeeded(await namespace.kubectl(twin));
    const client = await namespace.client();
    await using alice = await Laptop.open(cluster, namespace, "alice");
    await using bob = await Laptop.open(cluster, namespace, "bob");
    const before = await namespace.snapshot();
    const start = await clusterNow(namespace);
    await using exchange = alice.start([
      ...alices,
      "--expose",
      `${alice.demo.port}:80`,
    ], { user: "alice" });
    await exchange.ready();
    await reaches(client, { name: "alice" });

    const expose = ["--expose", `${bob.demo.port}:80`];
    const attempts = [
      ["exchange", "web", ...expose],
      ["exchange", "svc/web", "--mode", "scale", ...expose],
      ["exchange", "deploy/web", "--mode", "scale", ...expose],
      // another Service of the same pods
      ["exchange", "twin", "--mode", other, ...expose],
    ];
    for (const args of attempts) {
      const result = await bob.run(args, { user: "bob" });
      assert.equal(result.code, 7, result.stdout);
      const { code, message, hint } = result.error!;
      assert.equal(code, firstCode);
      assert.match(
        message,
        /alice \(on \S+\) has exchanged (it|its Deployment "web") since /,
      );
      const since = Date.parse(RFC_3339.exec(message)![0]) / 1000;
      assert.ok(
        since >= start - 1 && since <= await clusterNow(namespace) + 1,
        message,
      );
      assert.match(
        hint,
        /Ask alice to leave.*ktctl recover (web|twin|deploy\/web) -n \S+`/,
      );
      assert.deepEqual(bob.journals(), []);
    }
    const taken = await bob.run(["preview", "web", ...expose], { user: "bob" });
    assert.equal(taken.error?.["code"], "SERVICE_EXISTS", taken.stdout);
    assert.equal(taken.code, 7);
    for (let i = 0; i < 5; i++) {
      assert.equal(await answerOf(client), "alice");
    }

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop: alice, before });
    // once is enough: alice has left nothing, whatever she had
    if (!isBobNext) return;
    await using after = bob.start(["exchange", "web", ...expose]);
    await after.ready();
    await reaches(client, { name: "bob" });
    assert.equal((await after.stop()).code, 0);
    await assertNoTrace({ namespace, laptop: bob, before });
  });
}

Deno.test("a name that alice previews under is refused to bob", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using preview = alice.start([
    "preview",
    "fresh",
    "--expose",
    `${alice.demo.port}:80`,
  ], { user: "alice" });
  await preview.ready();
  const result = await bob.run([
    "preview",
    "fresh",
    "--expose",
    `${bob.demo.port}:80`,
  ], { user: "bob" });
  assert.equal(result.code, 7, result.stdout);
  assert.equal(result.error?.["code"], "SERVICE_EXISTS");
  assert.match(result.error!["hint"], /made by ktctl.*ktctl clean/);
  const exchanged = await bob.run([
    "exchange",
    "fresh",
    "--expose",
    `${bob.demo.port}:80`,
  ], { user: "bob" });
  assert.equal(exchanged.code, 7, exchanged.stdout);
  assert.match(exchanged.error!["message"], /alice/);
  await reaches(client, { name: "alice", url: "http://fresh/" });
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: alice, before });
});

Deno.test("of two who start at once, one gets the Service and the other is told", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  const start = (laptop: Laptop) =>
    laptop.start(["exchange", "web", "--expose", `${laptop.demo.port}:80`], {
      user: laptop.demo.name,
    });
  await using hers = start(alice);
  await using his = start(bob);
  const outcomes = await Promise.all(
    [hers, his].map((one) => one.ready().then(() => true, () => false)),
  );
  assert.deepEqual([...outcomes].sort(), [false, true]);
  const [winner, loser] = outcomes[0] ? [hers, his] : [his, hers];
  const winnerName = outcomes[0] ? "alice" : "bob";
  const lost = await loser.ended();
  assert.equal(lost.code, 7, lost.stdout);
  assert.equal(lost.error!["code"], "SERVICE_ALREADY_EXCHANGED");
  assert.match(lost.error!["message"], new RegExp(winnerName));
  await reaches(client, { name: winnerName });
  assert.equal((await winner.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: alice, before });
  await assertNoTrace({ namespace, laptop: bob, before });
});

Deno.test("a fresh lock of somebody else is waited for", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const annotate = async (service: string, ...annotations: string[]) =>
    succeeded(
      await namespace.kubectl([
        ...["annotate", `service/${service}`, "--overwrite"],
        ...annotations,
      ]),
    );

  await t.step("until it is given up, and its owner is named", async () => {
    await annotate(
      "web",
      `kt-lock=${await clusterNow(namespace)}`,
      "ktctl.dev/lock-owner=alice/abcdefghij",
    );
    await using exchange = laptop.start(args);
    const isLocked = (event: Record<string, unknown>) =>
      event["name"] === "lock the Service" && event["state"] === "done";
    const { message } = await exchange.event(({ code }) =>
      code === "SERVICE_LOCKED"
    );
    assert.match(message, /^Waiting for Service "web": alice has been/);
    await annotate("web", "kt-lock-", "ktctl.dev/lock-owner-");
    await exchange.event(isLocked, 10_000);
    await exchange.ready();
    await reaches(client);
    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  });

  await t.step(
    "for half a minute at most, and then its owner is named where that is told",
    async () => {
      const lock = `kt-lock=${await clusterNow(namespace)}`;
      const owner = "ktctl.dev/lock-owner";
      await annotate("web", lock);
      await annotate("web-grpc", lock, `${owner}=alice/abcdefghij`);
      const locked = await namespace.snapshot();
      const expose = `${laptop.demo.grpcPort}:50051`;
      const [nameless, named] = await Promise.all([
        laptop.run(args),
        laptop.run(["exchange", "web-grpc", "--expose", expose]),
      ]);
      for (
        const [{ code, error, stdout }, who] of [
          [nameless, "somebody"],
          [named, "alice"],
        ] as const
      ) {
        assert.equal(error?.["code"], "SERVICE_LOCKED", stdout);
        assert.equal(code, 7);
        assert.match(
          error["message"],
          new RegExp(`${who} has been setting it up since \\d{4}-`),
        );
        assert.match(error["hint"], /void after 180 s/);
      }
      assert.equal(await namespace.snapshot(), locked);
      assert.deepEqual(laptop.journals(), []);
      await annotate("web-grpc", "kt-lock-", `${owner}-`);
    },
  );

  await t.step("but not when it has expired", async () => {
    await annotate(
      "web",
      `kt-lock=${await clusterNow(namespace) - 181}`,
      "ktctl.dev/lock-owner=alice/abcdefghij",
    );
    await using exchange = laptop.start(args);
    await exchange.ready();
    await reaches(client);
    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  });
});
