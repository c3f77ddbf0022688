// The kit of transports, on one that captures addresses with root's rights, as its author tests it.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ConnectLab, obstacle } from "./connect_lab.ts";

Deno.test({
  name:
    "ktctl plugin test proves a transport that captures addresses, and leaves the machine as it was",
  ignore: obstacle !== undefined,
  async fn() {
    await using lab = await ConnectLab.open();
    const file = new URL(
      "../../src/plugins/transport/sshuttle.ts",
      import.meta.url,
    );
    const test = ["plugin", "test", fileURLToPath(file)];
    await using kit = lab.laptop.ktctl(test);
    const last = await kit.event("closed", 300_000);
    assert.equal(last["exitCode"], 0, JSON.stringify(kit.events, null, 1));
    const held = kit.events.filter(({ event }) => event === "action")
      .map(({ message }) => message);
    for (
      const claim of [
        "holds: update() puts other ranges in place of the former",
        "holds: an abort at any moment of open() leaves nothing",
      ]
    ) assert.ok(held.includes(claim), held.join());
    assert.equal(await lab.laptop.snapshot(), lab.before);
    assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
  },
});
