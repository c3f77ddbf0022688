// A Service that somebody has can be asked for: who lives may refuse, who is dead is not asked.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { requestTakeover } from "../../src/cluster/takeover/request_takeover.ts";
import { REQUESTED } from "../../src/cluster/takeover/takeover_request.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { PODS } from "../../src/kube/resources.ts";
import { quietReport } from "../fakes/quiet_report.ts";
import { makeAccount } from "./account.ts";
import { openTestCluster } from "./cluster.ts";
import { grantRoles, printedRoles } from "./grant.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";

Deno.test("who has a Service is asked for it, and may refuse", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  const start = (laptop: Laptop, user: string, ...more: string[]) =>
    laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`, ...more],
      { user },
    );
  const { signal } = new AbortController();
  const kube = await connectKube({
    signal,
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    stamp: { labels: {}, annotations: {} },
  });
  const shadows = () =>
    kube.list(PODS, { labelSelector: "kt-role=shadow-exchange", signal });

  {
    await using held = start(alice, "alice");
    await held.ready();

    await t.step("the refusal says who has it, and where", async () => {
      const { code, error } = await start(bob, "bob").ended();
      assert.equal(code, 7);
      const where = `alice (on ${hostname()}) has exchanged it since `;
      assert.ok(error!.message.includes(where), error!.message);
      assert.match(error!["hint"], /--takeOver/);
    });

    await t.step("who is asked may keep it", async () => {
      const nobody = await alice.run(["keep", "web"]);
      assert.equal(nobody.error!["code"], "NOBODY_ASKS", nobody.stdout);
      await using wanting = start(bob, "bob", "--takeOver");
      const { message } = await held.event((event) =>
        event["code"] === "TAKEOVER_REQUESTED"
      );
      assert.ok(message.startsWith(`bob (on ${hostname()}) asks for this`));
      const kept = await alice.run(["keep", "web"]);
      assert.equal(kept.code, 0, kept.stdout);
      const { code, error } = await wanting.ended();
      assert.equal(code, 7);
      assert.equal(error!["code"], "TAKEOVER_REFUSED");
      await reaches(client, { name: "alice" });
      const [pod] = await shadows();
      assert.equal(pod!.metadata.annotations![REQUESTED], undefined);
    });

    await t.step(
      "who says nothing has it for as long as was said, and nobody else may ask meanwhile",
      async () => {
        const askedAt = performance.now();
        const pods = await shadows();
        const told = Promise.withResolvers<unknown>();
        const request = {
          ...{ service: "web", host: "there", signal, patienceSeconds: 3 },
          report: quietReport(told.resolve),
        };
        const asking = requestTakeover(kube, pods, { ...request, user: "bob" });
        await Promise.race([told.promise, asking]);
        await assert.rejects(
          requestTakeover(kube, pods, { ...request, user: "carol" }),
          {
            code: "TAKEOVER_PENDING",
            message:
              'Cannot ask for Service "web": bob (on there) has just asked for it',
          },
        );
        await asking;
        assert.ok(performance.now() - askedAt > 2_900);
      },
    );

    await t.step(
      "who leaves when asked has given it away at once",
      async () => {
        await using wanting = start(bob, "bob", "--takeOver");
        await wanting.event((event) => event["code"] === "TAKEOVER_REQUESTED");
        assert.equal((await held.stop()).code, 0);
        await wanting.ready(25_000);
        await reaches(client, { name: "bob" });
        await wanting.stop("SIGKILL");
      },
    );
  }

  await t.step("who is dead is not asked", async () => {
    await using taking = start(alice, "alice", "--takeOver");
    await taking.ready();
    await reaches(client, { name: "alice" });
    const asked = taking.events.some((event) =>
      event["code"] === "TAKEOVER_REQUESTED"
    );
    assert.ok(!asked, JSON.stringify(taking.events));
    assert.equal((await taking.stop()).code, 0);
  });

  await t.step("who joins while it is asked for is asked as well", async () => {
    const mesh = (user: string) =>
      alice.start(
        [
          ...["mesh", "web", "--expose", `${alice.demo.port}:80`],
          ...["--versionMark", user],
        ],
        { user },
      );
    const isAsked = (event: { readonly [name: string]: unknown }) =>
      event["code"] === "TAKEOVER_REQUESTED";
    await using first = mesh("alice");
    await first.ready();
    await using wanting = start(bob, "bob", "--takeOver");
    await wanting.event(isAsked);
    await using second = mesh("carol");
    await second.ready();
    assert.equal((await first.stop()).code, 0);
    await second.event(isAsked);
    const kept = await alice.run(["keep", "web"]);
    assert.equal(kept.code, 0, kept.stdout);
    const { code, error } = await wanting.ended();
    assert.equal(code, 7);
    assert.equal(error!["code"], "TAKEOVER_REFUSED");
    assert.equal((await second.stop()).code, 0);
  });

  const cleaned = await bob.run(["clean"]);
  assert.equal(cleaned.code, 0, cleaned.stdout);
  await assertNoTrace({ namespace, laptop: alice, before });
  await assertNoTrace({ namespace, laptop: bob, before });
});

Deno.test("who has a Service by a shadow Deployment, and no more rights than that needs, may keep it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const account = { name: "dev", dir: alice.stateHome };
  const kubeconfig = await makeAccount(cluster, namespace, account);
  const uses = ["exchange", "--with", "useShadowDeployment"];
  const roles = await printedRoles(alice, uses);
  await grantRoles(namespace, { account: "dev", roles });
  const exchange = (laptop: Laptop) => [
    ...["exchange", "web", "--expose", `${laptop.demo.port}:80`],
  ];
  await using held = alice.start(
    [...exchange(alice), "--useShadowDeployment"],
    { kubeconfig, user: "alice" },
  );
  await held.ready();
  await using wanting = bob.start([...exchange(bob), "--takeOver"], {
    user: "bob",
  });
  await held.event((event) => event["code"] === "TAKEOVER_REQUESTED");
  const kept = await alice.run(["keep", "web"]);
  assert.equal(kept.code, 0, kept.stdout);
  const { error } = await wanting.ended();
  assert.equal(error!["code"], "TAKEOVER_REFUSED");
  assert.equal((await held.stop()).code, 0);
});
