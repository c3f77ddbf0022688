// The picture of an exchange in the README is of a real one: docs/exchange.svg is made by this test
// where KTCTL_RECORD_TO names it.
import assert from "node:assert/strict";
import { recordExchange } from "../../scripts/record_exchange.ts";
import { openTestCluster } from "./cluster.ts";
import { assertNoTrace, Laptop } from "./laptop.ts";

Deno.test({
  name: "an exchange is recorded as its user sees it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const { stateHome, demo: { port: localPort } } = laptop;
    const { text, svg } = await recordExchange({
      ...{ cluster, namespace, localPort, stateHome },
    });
    const lines = text.split("\n");
    assert.equal(lines[0], `$ ktctl exchange web --expose ${localPort}:80`);
    assert.match(text, /^✔ Start the Shadow Pod \(\d+\.\d s\)$/m);
    assert.match(text, /^Exchanging Service "web": port 80 → /m);
    assert.equal(lines.at(-1), "Everything is restored");
    assert.ok(svg.includes("Everything is restored</text>"), svg);
    await assertNoTrace({ namespace, laptop, before });
    const file = Deno.env.get("KTCTL_RECORD_TO");
    if (file !== undefined) await Deno.writeTextFile(file, svg);
  },
});
