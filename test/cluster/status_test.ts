// What this laptop has, and what the cluster has, as another terminal sees it.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, eventuallyByRuns, Laptop, reaches } from "./laptop.ts";
import type { KtctlResult } from "./ktctl_process.ts";

// deno-lint-ignore no-explicit-any -- events of unlike shapes
type Item = any;

function items({ events, stdout, stderr }: KtctlResult, kind: string): Item[] {
  const list = events.findLast((one) =>
    one.event === "list" && one["kind"] === kind
  );
  assert.ok(list, stdout + stderr);
  return list["items"];
}

Deno.test("status, leave, logs and birdseye", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  // what a step that fails leaves running
  await using _rest = {
    async [Symbol.asyncDispose]() {
      await laptop.run(["leave", "--all"]);
    },
  };
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const status = () => laptop.run(["status"]);

  await t.step("no session is no error", async () => {
    const { code, events } = await laptop.run(["status"]);
    assert.equal(code, 0);
    assert.equal(
      events.at(-1)!["reason"],
      "Nobody holds anything in " +
        `namespace "${namespace.name}"`,
    );
  });

  await t.step(
    "--background leaves the terminal free, and what is wrong with the command is told there",
    async () => {
      const wrong = await laptop.run([
        ...["exchange", "nothing", "--background"],
        ...expose,
      ]);
      assert.equal(wrong.code, 5, wrong.stdout);
      assert.equal(wrong.events.at(-2)!["code"], "SERVICE_NOT_FOUND");
      assert.equal(wrong.events.at(-1)!["state"], "unchanged");
      const { code, events, stdout } = await laptop.run([
        ...["exchange", "web", "--background"],
        ...expose,
      ]);
      assert.equal(code, 0, stdout);
      assert.equal(events.at(-1)!["state"], "background");
      const ready = events.find(({ event }) => event === "ready")!;
      assert.match(ready.message, /Run `ktctl leave web` to restore it$/);
      await reaches(client);
    },
  );

  await t.step(
    "status tells of it, and how many connections came",
    async () => {
      const [{ connections, ...rest }, ...none] = items(
        await status(),
        "sessions",
      );
      assert.deepEqual(none, []);
      assert.ok(connections > 0, String(connections));
      const { verb, target, state, failOpen, link, ready } = rest;
      assert.deepEqual({ verb, target, state, failOpen, link: link.state }, {
        verb: "exchange",
        target: "web",
        state: "ready",
        failOpen: true,
        link: "up",
      });
      assert.equal(ready.service, "web");
      succeeded(await client.curl("http://web/"));
      const [more] = items(await status(), "sessions");
      assert.equal(more.connections, connections + 1);
    },
  );

  await t.step(
    "another laptop has no session, and sees in the cluster who holds what",
    async () => {
      const seen = await other.run(["status"]);
      assert.deepEqual(items(seen, "sessions"), []);
      const [{ since, user, session, ...rest }, ...none] = items(
        seen,
        "holdings",
      );
      assert.deepEqual(none, []);
      assert.ok(Math.abs(Date.parse(since) - Date.now()) < 600_000, since);
      assert.ok(user !== "" && session !== "");
      assert.deepEqual(rest, {
        verb: "exchange",
        namespace: namespace.name,
        service: "web",
        state: "alive",
        undo:
          `${user}, or anybody: ktctl recover web -n ${namespace.name} --takeOver`,
      });
      const everywhere = await other.run(["status", "-A"]);
      assert.ok(
        items(everywhere, "holdings").some((one) => one.session === session),
        everywhere.stdout,
      );
    },
  );

  await t.step(
    "logs shows what it told, and --follow ends with it; leave gives everything back, and -w tells of both",
    async () => {
      const { events } = await laptop.run(["logs", "web"]);
      const names = events.map(({ event }) => event);
      assert.ok(names.includes("ready") && !names.includes("closing"));
      await using watch = laptop.start(["status", "-w"]);
      await watch.event((event) => event.event === "list");
      await using follow = laptop.start(["logs", "--follow"]);
      await follow.event(({ event }) => event === "ready");
      const left = await laptop.run(["leave", "web"]);
      assert.equal(left.code, 0, left.stdout);
      assert.ok(left.events.some(({ event }) => event === "closing"));
      assert.equal(left.events.at(-1)!["state"], "restored");
      await assertNoTrace({ namespace, laptop, before });
      assert.equal((await follow.ended()).code, 0);
      await follow.event(({ event }) => event === "closing");
      for (const kind of ["sessions", "holdings"]) {
        await watch.event((event) =>
          event["kind"] === kind && event["items"].length === 0
        );
      }
      assert.equal((await watch.stop()).code, 0);
      const again = await laptop.run(["leave", "web"]);
      assert.equal(again.events.at(-2)!["code"], "SESSION_NOT_FOUND");
    },
  );

  await t.step(
    "birdseye has the Services with who has them; who was killed is dead, and leaves no socket behind",
    async () => {
      await using mesh = other.start(
        [
          ...["mesh", "web", "--expose", `${other.demo.port}:80`],
          ...["--versionMark", "blue"],
        ],
        { user: "alice" },
      );
      await mesh.ready();
      const bird = await laptop.run(["birdseye"]);
      assert.deepEqual(
        items(bird, "services").find(({ service }) => service === "web"),
        {
          service: "web",
          namespace: namespace.name,
          status: "meshed",
          users: ["alice"],
        },
      );
      await mesh.stop("SIGKILL");
      await eventuallyByRuns("dead", async () => {
        const seen = await laptop.run(["status", "--thresholdInMinus", "0"]);
        const [{ state, mark, user, undo }] = items(seen, "holdings");
        assert.deepEqual([mark, user], ["version: blue", "alice"]);
        return state === "dead" &&
          undo === `anybody: ktctl clean -n ${namespace.name}`;
      });
      assert.deepEqual(items(await other.run(["status"]), "sessions"), []);
      const cleaned = await other.run(["clean"]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
      await assertNoTrace({ namespace, laptop: other, before });
      assert.deepEqual(
        [...Deno.readDirSync(`${other.stateHome}/ktctl/run`)],
        [],
      );
    },
  );
});
