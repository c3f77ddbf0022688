// Byte streams pass an exchange unchanged, also those that end on one side first.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";

const SIZE = 64 * 1024 * 1024;

Deno.test("HTTP/1.0, half-closed connections and 64 MiB either way pass an exchange unchanged", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80,${laptop.demo.tcpPort}:9000`,
  ]);
  await exchange.ready();
  await reaches(client);
  const sh = async (command: string) =>
    succeeded(await client.exec(["sh", "-c", command], { timeout: 120_000 }));
  const time = async (name: string, command: string) => {
    const start = performance.now();
    const output = await sh(command);
    const seconds = (performance.now() - start) / 1000;
    console.log(`${name}: ${seconds.toFixed(1)} s`);
    return output;
  };

  await t.step("HTTP/1.0 ends with the connection", async () => {
    const answer = await client.curl("--http1.0", "http://web/");
    assert.equal(succeeded(answer), "demo pod=laptop\n");
  });

  await t.step("an echo comes back whole after the sender's end", async () => {
    const echo = await client.exec(["nc", "-N", "web", "9000"], {
      stdin: "there and back\n",
    });
    assert.equal(succeeded(echo), "there and back\n");
    const sums = await time(
      "8 MiB there and back",
      "head -c 8388608 /dev/urandom > /tmp/sent && nc -N web 9000 < /tmp/sent > /tmp/back; " +
        "sha256sum < /tmp/sent; sha256sum < /tmp/back",
    );
    const [sent, back] = sums.trim().split("\n");
    assert.equal(back, sent);
  });

  await t.step("64 MiB up", async () => {
    const text = await time(
      "64 MiB up",
      `head -c ${SIZE} /dev/urandom > /tmp/up && sha256sum < /tmp/up && ` +
        "curl -sS -m 100 -T /tmp/up -X POST http://web/sink",
    );
    const [sum = "", json = ""] = text.trim().split("\n");
    assert.deepEqual(JSON.parse(json), {
      pod: "laptop",
      count: SIZE,
      sha256: sum.split(" ")[0],
    });
  });

  await t.step("64 MiB down", async () => {
    const letters = createHash("sha256");
    const alphabet = "abcdefghijklmnopqrstuvwxyz".repeat(2520);
    for (let left = SIZE; left > 0; left -= alphabet.length) {
      letters.update(alphabet.slice(0, left));
    }
    const wanted = letters.digest("hex");
    for (const more of ["", "&chunked=1"]) {
      const text = await time(
        `64 MiB down${more}`,
        `curl -sS -m 100 'http://web/bytes?n=${SIZE}${more}' -D /tmp/head | sha256sum; cat /tmp/head`,
      );
      assert.equal(text.split(" ")[0], wanted);
      assert.match(text, /x-pod: laptop/i);
    }
  });

  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
