// `connect --shareShadow`: one Shadow Pod for all of a namespace, until the last one leaves.
import assert from "node:assert/strict";
import { SHARE_NAME } from "../../src/kube/annotations.ts";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded } from "./cluster.ts";
import { grantRoles, printedRoles } from "./grant.ts";
import { eventually } from "./laptop.ts";
import { target } from "./original_leftovers.ts";
import { assertWorks, ShareLab, throughProxy, works } from "./share_lab.ts";

Deno.test("connect --shareShadow", async (t) => {
  await using lab = await ShareLab.open();

  for (const asDeployment of [false, true]) {
    const kind = asDeployment ? "deployment" : "pod";
    const flags = asDeployment ? ["--useShadowDeployment"] : [];

    await t.step(
      `${kind}: the second goes on when the first leaves, and takes all away at the end`,
      async () => {
        const alice = await lab.connect(lab.alice, ...flags);
        assert.equal(await lab.users(kind), "1");
        const uid = await lab.field(kind, ".metadata.uid");
        const bob = await lab.connect(lab.bob, "--podQuota", "1c,512m");
        assert.equal(await lab.users(kind), "2");
        assert.equal(await lab.field(kind, ".metadata.uid"), uid);
        assert.match(
          bob.process.events.find(({ event }) => event === "warning")
            ?.["message"],
          /as alice made it\. .*: requests and limits$/,
        );
        await assertWorks(alice);
        await assertWorks(bob);

        assert.equal((await alice.process.stop()).code, 0);
        await assertWorks(bob);
        assert.equal(await lab.users(kind), "1");
        const isDown = ({ event }: { event: string }) => event === "link";
        assert.equal(bob.process.events.find(isDown), undefined);
        assert.equal((await bob.process.stop()).code, 0);
        await lab.assertNothingLeft();
        assert.deepEqual([...lab.alice.journals(), ...lab.bob.journals()], []);
      },
    );
  }

  await t.step(
    "kill -9 of the founder, and `clean` anywhere, change nothing for the second, who takes all away",
    async () => {
      const alice = await lab.connect(lab.alice);
      const bob = await lab.connect(lab.bob);
      const uid = await lab.field("pod", ".metadata.uid");
      await alice.process.stop("SIGKILL");
      // from bob's laptop, which knows nothing of alice's journal; then with the strictest threshold
      for (const args of [[], ["--thresholdInMinus", "0"]]) {
        const cleaned = await lab.bob.run(["clean", ...args]);
        assert.equal(cleaned.code, 0, cleaned.stdout);
        assert.equal(await lab.field("pod", ".metadata.uid"), uid);
        await assertWorks(bob);
      }
      assert.equal(await lab.users(), "1");
      // from alice's, whose journal has her place
      const swept = await lab.alice.run(["clean"]);
      assert.equal(swept.code, 0, swept.stdout);
      assert.deepEqual(lab.alice.journals(), []);
      await assertWorks(bob);
      assert.equal(await lab.field("pod", ".metadata.uid"), uid);
      assert.equal((await bob.process.stop()).code, 0);
      await lab.assertNothingLeft();
    },
  );

  await t.step(
    "who leaves last takes the pod away, though one was killed and one sleeps, who comes back to the next one",
    async () => {
      const killed = await lab.connect(lab.alice);
      const asleep = await lab.connect(lab.alice);
      const bob = await lab.connect(lab.bob);
      await killed.process.stop("SIGKILL");
      asleep.process.kill("SIGSTOP");
      await eventually(
        "the agent misses both",
        async () => await lab.attached() === 1,
      );
      assert.equal((await bob.process.stop()).code, 0);
      await lab.assertNothingLeft();
      const next = await lab.connect(lab.bob);
      asleep.process.kill("SIGCONT");
      await works(asleep);
      await assertWorks(next);
      assert.equal(await lab.users(), "2");
      assert.equal((await next.process.stop()).code, 0);
      await assertWorks(asleep);
      assert.equal((await asleep.process.stop()).code, 0);
      await lab.assertNothingLeft();
      // of the killed one there is a journal, and nothing else
      assert.equal((await lab.alice.run(["clean"])).code, 0);
      assert.deepEqual(lab.alice.journals(), []);
    },
  );

  await t.step(
    "after kill -9 of both, `clean` from another laptop takes all away",
    async () => {
      const alice = await lab.connect(lab.alice);
      const another = await lab.connect(lab.alice);
      await Promise.all(
        [alice, another].map(({ process }) => process.stop("SIGKILL")),
      );
      const fresh = await lab.bob.run(["clean"]);
      assert.equal(fresh.code, 0, fresh.stdout);
      assert.equal(await lab.users(), "2", "their heartbeats are not old yet");
      const dry = await lab.bob.run([
        "clean",
        "--thresholdInMinus",
        "0",
        "--dryRun",
      ]);
      assert.match(
        dry.stdout,
        /would delete the shared Pod \\"kt-connect-shadow-daemon\\" with the place of alice, alice/,
      );
      const cleaned = await lab.bob.run(["clean", "--thresholdInMinus", "0"]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
      await lab.assertNothingLeft();
      // what is left of them on alice's laptop finds nothing to do
      const swept = await lab.alice.run(["clean"]);
      assert.equal(swept.code, 0, swept.stdout);
      assert.deepEqual(lab.alice.journals(), []);
    },
  );

  await t.step(
    "when the pod is deleted, both come back to the same new one, which runs their agent and no other",
    async () => {
      const alice = await lab.connect(lab.alice);
      const bob = await lab.connect(lab.bob);
      for (const how of [["--force", "--grace-period=0"], []]) {
        const uid = await lab.field("pod", ".metadata.uid");
        await lab.plantAgent('console.log("foreign")');
        const back = [alice, bob].map(({ process }) => process.linkUp(45_000));
        succeeded(
          await lab.namespace.kubectl(["delete", "pod", SHARE_NAME, ...how]),
        );
        const [first, second] = await Promise.all(back);
        console.log(
          `pod deleted (${how[0] ?? "with its grace"}): back after ${
            first!["ms"]
          } and ${second!["ms"]} ms`,
        );
        await Promise.all([works(alice), works(bob)]);
        assert.notEqual(await lab.field("pod", ".metadata.uid"), uid);
        assert.equal(await lab.users(), "2");
      }
      // the record deleted by hand takes all with it: they begin anew
      const uid = await lab.field("secret", ".metadata.uid");
      const back = [alice, bob].map(({ process }) => process.linkUp(45_000));
      succeeded(await lab.namespace.kubectl(["delete", "secret", SHARE_NAME]));
      await Promise.all(back);
      await Promise.all([works(alice), works(bob)]);
      assert.notEqual(await lab.field("secret", ".metadata.uid"), uid);
      const ends = await Promise.all(
        [alice, bob].map(({ process }) => process.stop()),
      );
      assert.deepEqual(ends.map(({ code }) => code), [0, 0]);
      await lab.assertNothingLeft();
    },
  );

  await t.step(
    "many who come and go at the same moment use one pod and leave nothing",
    async () => {
      const all = await Promise.all(
        [lab.alice, lab.bob, lab.alice, lab.bob].map((one) => lab.connect(one)),
      );
      assert.equal(await lab.users(), "4");
      await Promise.all(all.map(assertWorks));
      const ends = await Promise.all(all.map(({ process }) => process.stop()));
      assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0, 0]);
      await lab.assertNothingLeft();
    },
  );

  await t.step("Ctrl-C at any step leaves nothing", async (t) => {
    const steps = [
      "check",
      "start the Shadow Pod",
      "connect to the Shadow Pod",
    ];
    for (const step of steps) {
      await t.step(step, async () => {
        const { process } = lab.start(lab.alice);
        await using _ = process;
        await process.event((event) =>
          event.event === "step" && event["name"] === step
        );
        const { code, stdout } = await process.stop();
        assert.equal(code, 130, stdout);
        await lab.assertNothingLeft();
        assert.deepEqual(lab.alice.journals(), []);
      });
    }
  });

  await t.step(
    "one that the original ktctl made is refused, and left as it is",
    async () => {
      await lab.namespace.apply(JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: SHARE_NAME,
          labels: {
            "control-by": "kt",
            "kt-role": "shadow-connect",
            "kt-target": target("daemon"),
          },
          annotations: {
            "kt-last-heart-beat": String(Math.floor(Date.now() / 1000)),
            "kt-ref-count": "1",
          },
        },
        data: { authorized: "ssh-rsa AAAA", privateKey: "-" },
      }));
      const before = await lab.namespace.snapshot();
      const { process, proxy } = lab.start(lab.alice);
      const { code, error, stdout } = await process.ended();
      assert.equal(code, 7, stdout);
      assert.equal(error?.["code"], "SHARE_NAME_TAKEN");
      assert.match(error?.["hint"], /ktctl clean.*without --shareShadow/);
      assert.match(await throughProxy({ process, proxy }), /curl ends with/);
      assert.equal(await lab.namespace.snapshot(), before);
      assert.deepEqual(lab.alice.journals(), []);
    },
  );
});

Deno.test("connect --shareShadow needs no more than its Role to make the pod again, in place of another version's", async () => {
  await using lab = await ShareLab.open();
  const { alice, namespace } = lab;
  const account = { name: "dev", dir: alice.stateHome };
  const cluster = await openTestCluster();
  const kubeconfig = await makeAccount(cluster, namespace, account);
  const uses = ["--with", "shareShadow,disableTunDevice"];
  const roles = await printedRoles(alice, ["connect", ...uses]);
  assert.deepEqual(roles.map(({ kind }) => kind), ["Role"]);
  await grantRoles(namespace, { account: "dev", roles });
  const bob = await lab.connect(lab.bob);
  await bob.process.stop("SIGKILL");
  await lab.plantAgent('console.log("another version")');
  const removed = ["delete", "pod", SHARE_NAME, "--force", "--grace-period=0"];
  succeeded(await namespace.kubectl(removed));
  const port = String(22_900 + Deno.pid % 100);
  await using process = alice.start([
    ...["connect", "--shareShadow", "--disableTunDevice", "--proxyPort", port],
  ], { kubeconfig, user: "alice" });
  await process.ready();
  await works({ process, proxy: `socks5h://127.0.0.1:${port}` });
  const { code, stdout } = await process.stop();
  assert.equal(code, 0, stdout);
});
