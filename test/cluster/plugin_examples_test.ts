// The two plugins that docs/plugin-authors.md writes, used as its reader does. With the bundle all of it; with the
// other forms that people start what can differ with the form: how a plugin's file and ktctl's API come in.
import assert from "node:assert/strict";
import { docExamples } from "../doc_examples.ts";
import { freePorts } from "../unit/link/agent/agent_process.ts";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
} from "./laptop.ts";
import type { KtctlResult } from "./ktctl_process.ts";
import { PROGRAM_FORM } from "./program_form.ts";

/** Whatever the form, one transport is added, used and tested. */
const isBrief = PROGRAM_FORM === "source" || PROGRAM_FORM === "portable";

Deno.test("http-proxy, added by its name: programs of this machine reach the cluster by its proxy, for as long as connect runs", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const before = await namespace.snapshot();
  const [port] = await freePorts(1);
  const file = examples.path("http_proxy.ts");
  const added = await laptop.run(["plugin", "add", file]);
  assert.equal(added.code, 0, added.stdout);
  const help = await laptop.run(["connect", "--help"]);
  assert.match(help.stdout, /--httpPort <port>/);
  const args = ["--mode", "http-proxy", "--httpPort"];
  const curl = (url: string, ...more: string[]) =>
    run("curl", [
      ...["-sS", "-m", "10", "-x", `http://127.0.0.1:${port}`, ...more],
      url,
    ]);
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    await using connect = laptop.start(["connect", ...args, `${port}`]);
    const { mode, proxy, message } = await connect.ready();
    assert.deepEqual([mode, proxy], [
      "http-proxy",
      `http://127.0.0.1:${port}`,
    ]);
    assert.match(message, /HTTPS_PROXY=/);
    const tunnelled = await curl("http://web/", "--proxytunnel");
    assert.match(succeeded(tunnelled), /pod=web-/);
    assert.equal(
      succeeded(await curl("http://web/")),
      "This proxy knows CONNECT alone.\n",
    );
    const unknown = await curl("http://nowhere.invalid/", "--proxytunnel");
    assert.match(unknown.stderr, /502/);
    const taken = await laptop.run(["connect", ...args, `${port}`]);
    assert.equal(taken.code, 7, taken.stdout);
    assert.equal(taken.error?.["code"], "PORT_TAKEN");
    await connect.stop(signal);
    assert.notEqual((await curl("http://web/")).code, 0);
    if (signal === "SIGKILL") {
      const cleaned = await laptop.run(["clean"]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
    }
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test({
  name:
    "canary: the laptop has its share of a Service's requests, and whoever has the plugin cleans up after it",
  ignore: isBrief,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    await using examples = await docExamples();
    const file = examples.path("canary.ts");
    const before = await namespace.snapshot();
    const args = ["--plugin", file, "--mode", "canary"];
    const expose = ["--expose", `${laptop.demo.port}:80`];
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      await using exchange = laptop.start([
        "exchange",
        "web",
        ...args,
        ...expose,
      ]);
      const { message } = await exchange.ready();
      assert.match(message, /The laptop is one of the pods of Service "web"/);
      const seen = new Set<string>();
      await eventually("the laptop and a pod of before answer", async () => {
        seen.add(
          (await answerOf(client)).startsWith("laptop") ? "laptop" : "pod",
        );
        return seen.size === 2;
      });
      let isOver = false;
      const stopping = exchange.stop(signal).finally(() => isOver = true);
      // at a Ctrl-C no request is lost
      while (signal === "SIGINT" && !isOver) {
        assert.match(await answerOf(client), /^(web-|laptop)/);
      }
      await stopping;
      if (signal === "SIGKILL") {
        const clean = ["clean", "--thresholdInMinus", "0", "--plugin", file];
        await eventuallyByRuns("clean finds the session dead", async () => {
          const { code, stdout } = await other.run(clean);
          assert.equal(code, 0, stdout);
          return await namespace.snapshot() === before;
        });
        // what the other laptop took back already
        assert.equal((await laptop.run(["clean", "--plugin", file])).code, 0);
      }
      // a killed session's pod goes at once, and the nodes follow a moment later
      let inARow = 0;
      await eventually(
        "the pods of before answer, and nobody else",
        async () => {
          const isPod = (await answerOf(client)).startsWith("web-");
          if (signal === "SIGINT") assert.ok(isPod);
          inARow = isPod ? inARow + 1 : 0;
          return inARow === 10;
        },
      );
      await assertNoTrace({ namespace, laptop, before });
    }
  },
});

Deno.test({
  name:
    "canary leaves a workload alone that would take the Shadow Pod for its own",
  ignore: isBrief,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using examples = await docExamples();
    const get = ["get", "deployment", "web", "-o", "json"];
    const { spec } = JSON.parse(succeeded(await namespace.kubectl(get)));
    const labels = { app: "adopting" };
    await namespace.apply(JSON.stringify({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "adopting" },
      spec: {
        selector: { matchLabels: labels },
        template: { ...spec.template, metadata: { labels } },
      },
    }));
    await namespace.apply(JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "adopting" },
      spec: { selector: labels, ports: [{ port: 80 }] },
    }));
    await eventually("the DaemonSet has its pod", async () => {
      const pods = ["get", "pods", "-l", "app=adopting", "-o", "name"];
      return succeeded(await namespace.kubectl(pods)) !== "";
    });
    const { code, error, stdout } = await laptop.run([
      ...["exchange", "adopting", "--expose", `${laptop.demo.port}:80`],
      ...["--plugin", examples.path("canary.ts"), "--mode", "canary"],
    ]);
    assert.equal(code, 3, stdout);
    assert.equal(error?.["code"], "POD_ADOPTED");
  },
});

/** The claims that hold. */
function held({ events }: KtctlResult): string[] {
  return events.filter(({ event }) => event === "action")
    .map(({ message }) => message as string);
}

Deno.test("ktctl plugin test proves a transport", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using examples = await docExamples();
  const before = await namespace.snapshot();
  const [http] = await freePorts(1);
  const sound = await laptop.run([
    ...["plugin", "test", examples.path("http_proxy.ts")],
    ...["--set", `httpPort=${http}`, "--via", `http://127.0.0.1:${http}`],
  ]);
  assert.equal(sound.code, 0, sound.stdout);
  assert.ok(
    held(sound).includes(
      "holds: an application is told what the cluster refuses",
    ),
    sound.stdout,
  );
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test({
  name:
    "ktctl plugin test proves an interceptor and a transport of one port, asks for what it is not told, and finds a transport that keeps its port",
  ignore: isBrief,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using examples = await docExamples();
    const before = await namespace.snapshot();
    const kit = (file: string, ...args: string[]) =>
      laptop.run(["plugin", "test", file, ...args]);
    const canary = await kit(examples.path("canary.ts"), "web");
    assert.equal(canary.code, 0, canary.stdout);
    assert.ok(held(canary).length >= 6, canary.stdout);

    const [http, one] = await freePorts(2);
    const proxy = examples.path("http_proxy.ts");
    const set = ["--set", `httpPort=${http}`];
    const via = ["--via", `http://127.0.0.1:${http}`];
    const untold = await kit(proxy, ...set);
    assert.equal(untold.error?.["code"], "VIA_MISSING", untold.stdout);
    const superfluous = await kit(proxy, "web", ...set);
    assert.equal(superfluous.code, 2, superfluous.stdout);

    const mapped = await kit(
      examples.path("port_map.ts"),
      ...["--set", "mapTo=echo.kit:7", "--set", `mapPort=${one}`],
      ...["--via", `tcp://127.0.0.1:${one}`],
    );
    assert.equal(mapped.code, 0, mapped.stdout);

    // closes neither its port nor its connections
    const keeping = `${laptop.stateHome}/keeping.ts`;
    const text = await Deno.readTextFile(proxy);
    await Deno.writeTextFile(
      keeping,
      text.replace("server.close();", "return;"),
    );
    const broken = await kit(keeping, ...set, ...via);
    assert.equal(broken.code, 8, broken.stdout);
    const details: string[] = broken.error?.["details"];
    assert.match(details.join(), /half-closes, until the scope ends/);
    await assertNoTrace({ namespace, laptop, before });
  },
});
