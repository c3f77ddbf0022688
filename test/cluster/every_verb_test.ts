// Each verb once and quickly, for the forms of ktctl that no other test is run on; `connect` is in
// connect_user_test.ts.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { exchangeLeftover } from "./original_leftovers.ts";
import { PROGRAM_FORM } from "./program_form.ts";

Deno.test(`every verb does its work (${PROGRAM_FORM})`, async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const step = (claim: string, fn: () => Promise<void>) =>
    t.step(claim, async () => {
      await fn();
      await assertNoTrace({ namespace, laptop, before });
    });

  await step("exchange, and clean right after its death", async () => {
    await using exchange = laptop.start(["exchange", "web", ...expose]);
    await exchange.ready();
    await reaches(client);
    await exchange.stop("SIGKILL");
    const cleaned = await laptop.run(["clean"]);
    assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
    assert.doesNotMatch(cleaned.stdout, /Nothing to clean/);
    await reaches(client, { name: "web-" });
  });

  await step("exchange in the background, status and leave", async () => {
    const begun = await laptop.run([
      ...["exchange", "web", "--background"],
      ...expose,
    ]);
    assert.equal(begun.code, 0, begun.stdout + begun.stderr);
    await reaches(client);
    const { events } = await laptop.run(["status"]);
    const sessions = events.find(({ kind }) => kind === "sessions");
    assert.equal(sessions?.["items"][0].state, "ready");
    const left = await laptop.run(["leave", "web"]);
    assert.equal(left.code, 0, left.stdout + left.stderr);
    assert.deepEqual(
      [...Deno.readDirSync(`${laptop.stateHome}/ktctl/run`)],
      [],
    );
  });

  await step("a dry run, whose manifests the server takes", async () => {
    const dryRun = ["--dryRun", "--output", "yaml"];
    const planned = await laptop.run(
      ["exchange", "web", ...expose, ...dryRun],
      {
        isHuman: true,
      },
    );
    assert.equal(planned.code, 0, planned.stdout + planned.stderr);
    const apply = ["apply", "--dry-run=server", "-f", "-"];
    const stdin = planned.stdout;
    const taken = succeeded(await namespace.kubectl(apply, { stdin }));
    assert.match(taken, /^service\/web configured \(server dry run\)$/m);
  });

  await step("what needs no cluster", async () => {
    const output = async (...args: string[]) => {
      const { code, stdout, stderr, events } = await laptop.run(args);
      assert.equal(code, 0, stdout + stderr);
      return events.find(({ event }) => event === "ready")?.["output"];
    };
    assert.match(await output("rbac", "exchange"), /^kind: Role$/m);
    assert.match(await output("completion", "bash"), /complete -/);
    const { events } = await laptop.run(["config", "get", "exchange.mode"]);
    const mode = events.find(({ event }) => event === "setting");
    assert.equal(mode?.["value"], "selector");
  });

  await step("mesh", async () => {
    const mark = ["--versionMark", "demo"];
    await using mesh = laptop.start(["mesh", "web", ...expose, ...mark]);
    await mesh.ready();
    const marked = ["-H", "version: demo", "http://web/"];
    assert.match(succeeded(await client.curl(...marked)), /pod=laptop/);
    assert.match(await answerOf(client), /^web-/);
    assert.equal((await mesh.stop()).code, 0);
  });

  await step("preview", async () => {
    await using preview = laptop.start(["preview", "mine", ...expose]);
    await preview.ready();
    await reaches(client, { url: "http://mine/" });
    assert.equal((await preview.stop()).code, 0);
  });

  await step("forward", async () => {
    await using forward = laptop.start(["forward", "web", ":80"]);
    const { local } = await forward.ready();
    const answer = await run("curl", ["-s", `http://127.0.0.1:${local}/`]);
    assert.match(succeeded(answer), /^demo pod=web-/);
    assert.equal((await forward.stop()).code, 0);
  });

  await step("recover", async () => {
    await exchangeLeftover(namespace, "web", { podIsGone: true });
    const recovered = await laptop.run(["recover", "web"]);
    assert.equal(recovered.code, 0, recovered.stdout + recovered.stderr);
    await reaches(client, { name: "web-" });
  });
});
