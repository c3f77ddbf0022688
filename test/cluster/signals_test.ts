// A signal at any moment of the set-up leaves no trace; a second one says what is left.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { run } from "./command.ts";
import { assertNoTrace, Laptop, reaches, untouched } from "./laptop.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Each is interrupted at every event; one whose events are the others' too, at every third. */
const COMMANDS = [
  { command: ["exchange", "web"], every: 1 },
  { command: ["exchange", "deploy/web", "--mode", "scale"], every: 3 },
  {
    command: ["exchange", "web", "--mode", "scale", "--keepReplicas", "0"],
    every: 5,
  },
  { command: ["preview", "mine"], every: 3 },
  { command: ["mesh", "web"], every: 1 },
  { command: ["mesh", "web", "--mode", "manual"], every: 3 },
];

async function rolledOut(namespace: TestNamespace): Promise<void> {
  const rollout = ["rollout", "status", "deployment/web", "--timeout=60s"];
  succeeded(await namespace.kubectl(rollout));
}

/** A Ctrl-C right after the first is the same one, passed on: no event tells when it no longer is. */
const lateEnough = () => new Promise((resolve) => setTimeout(resolve, 800));

Deno.test("a signal at any event of the set-up ends with exit code 130 and leaves no trace", async (t) => {
  const cluster = await openTestCluster();
  await Promise.all(COMMANDS.map(({ command, every }) =>
    t.step({
      name: command.join(" "),
      sanitizeOps: false, // the steps run side by side
      sanitizeResources: false,
      sanitizeExit: false,
      async fn() {
        await using namespace = await cluster.demo({
          replicas: command.includes("scale") ? 2 : 1,
        });
        await using laptop = await Laptop.open(cluster, namespace);
        const before = await namespace.snapshot();
        let times = 0;
        let k = 0;
        for (let isReady = false; !isReady;) {
          k = 1 + every * times;
          const signal = SIGNALS[times % SIGNALS.length]!;
          times++;
          await using ktctl = laptop.start([
            ...command,
            "--expose",
            `${laptop.demo.port}:80`,
            // a busy machine starts three pods at a time slowly
            "--portForwardTimeout",
            "60",
          ]);
          await ktctl.event(({ event }) =>
            event === "ready" || ktctl.events.length >= k
          );
          const at = ktctl.events.slice(0, k).at(-1);
          const { code, events, stdout, stderr } = await ktctl.stop(signal);
          isReady = events.some(({ event }) => event === "ready");
          const what = `${signal} at ${
            JSON.stringify(at)
          }:\n${stdout}${stderr}`;
          assert.equal(code, isReady ? 0 : 130, what);
          const closed = events.filter(({ event }) => event === "closed");
          assert.deepEqual(closed, events.slice(-1), what);
          assert.equal(closed[0]!["exitCode"], code, what);
          assert.match(closed[0]!["state"], /^(restored|unchanged)$/, what);
          await rolledOut(namespace);
          assert.equal(await namespace.snapshot(), before, what);
          assert.deepEqual(laptop.journals(), [], what);
        }
        console.log(`${command.join(" ")}: interrupted ${times} times`);
        assert.ok(k > 8, `only ${k} events before ready`);
        await reaches(await namespace.client(), { name: "web-" });
      },
    })
  ));
});

Deno.test({
  name:
    "a second Ctrl-C ends at once and names what is left behind; clean removes it later",
  // the API server's certificate must be valid for 127.0.0.1
  ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"),
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using proxy = await TcpProxy.open(cluster);
    const { kubeconfig } = proxy;
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`],
      { kubeconfig },
    );
    await exchange.ready();
    await reaches(client);

    proxy.goSilent();
    exchange.kill("SIGINT");
    await exchange.event("closing");
    await lateEnough();
    const start = performance.now();
    const { code, events, stdout } = await exchange.stop("SIGINT");
    const ms = Math.round(performance.now() - start);
    assert.equal(code, 130, stdout);
    assert.ok(ms < 2_000, `it took ${ms} ms`);
    assert.equal(events.filter(({ event }) => event === "closed").length, 1);
    assert.equal(events.at(-1)!["state"], "incomplete");
    const warnings = events.filter(({ code }) => code === "LEFT_BEHIND");
    console.log(`ended ${ms} ms after the second Ctrl-C, and told:`);
    for (const { message } of warnings) console.log(message);
    assert.ok(warnings.length >= 3, stdout);
    for (const { message } of warnings) assert.match(message, /kubectl /);
    assert.equal(laptop.journals().length, 1);

    proxy.resume();
    await reaches(client, { name: "web-" });
    assert.notEqual(await namespace.snapshot(), before);
    const cleaned = await laptop.run(["clean"], { kubeconfig });
    assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
    await assertNoTrace({ namespace, laptop, before });
    await reaches(client, { name: "web-" });
  },
});

for (const mode of ["selector", "scale"]) {
  Deno.test({
    name:
      `the commands that a second Ctrl-C names undo an exchange (${mode}) whole`,
    ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // as above
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo({
        replicas: mode === "scale" ? 2 : 1,
      });
      await using laptop = await Laptop.open(cluster, namespace);
      await using proxy = await TcpProxy.open(cluster);
      const before = await namespace.snapshot();
      await using exchange = laptop.start(
        [
          "exchange",
          "deploy/web",
          "--mode",
          mode,
          "--expose",
          `${laptop.demo.port}:80`,
        ],
        { kubeconfig: proxy.kubeconfig },
      );
      await exchange.ready();
      proxy.goSilent();
      exchange.kill("SIGINT");
      await exchange.event("closing");
      await lateEnough();
      const { events } = await exchange.stop("SIGINT");
      const commands = events.filter(({ code }) => code === "LEFT_BEHIND")
        .map(({ message }) => /; to undo: (kubectl .*)$/.exec(message)![1]!);
      assert.ok(commands.length >= 3);
      for (const command of commands) {
        const { code, stderr } = await run("sh", ["-c", command], {
          env: { KUBECONFIG: cluster.kubeconfig },
          // kubectl waits until the kubelet has let go of a pod, which is not always soon
          timeout: 180_000,
        });
        // what the pod owns may have gone with it
        assert.ok(code === 0 || /NotFound/.test(stderr), stderr);
      }
      await rolledOut(namespace);
      await untouched(namespace, before);
    },
  });
}
