// What the disk of the root helper's journals, /run, may do: be full, become full, be read only.
import assert from "node:assert/strict";
import { eventually } from "../cluster/laptop.ts";
import { HelperMachine } from "./helper_machine.ts";
import { obstacleWithout } from "./packages.ts";

const obstacle = await obstacleWithout({ nft: "nftables", ip: "iproute2" });

function test(
  claim: string,
  fn: (machine: HelperMachine, before: string) => Promise<void>,
): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({
    name,
    ignore: obstacle !== undefined,
    async fn() {
      await using machine = await HelperMachine.start();
      await machine.run("nft", "add", "table", "ip", "somebody");
      await machine.run("mount", "-o", "remount,size=64k", "/run");
      await fn(machine, await machine.rules());
    },
  });
}

/** No new file has room for a byte. */
async function fill(machine: HelperMachine): Promise<void> {
  const script = "cat /dev/zero > /run/filler 2>&-; :";
  assert.equal((await machine.run("sh", "-c", script)).code, 0);
}

for (
  const [what, disturb] of [
    ["full", fill],
    [
      "read only",
      async (machine) =>
        void await machine.run("mount", "-o", "remount,ro", "/run"),
    ],
  ] as const satisfies readonly (readonly [
    string,
    (machine: HelperMachine) => Promise<void>,
  ])[]
) {
  test(
    `with /run ${what} the root helper changes nothing, and says why`,
    async (machine, before) => {
      await disturb(machine);
      await using client = machine.startClient();
      const { code, exitCode, message, hint } = await client.says("error");
      assert.deepEqual({ code, exitCode }, {
        code: "JOURNAL_UNWRITABLE",
        exitCode: 4,
      });
      assert.match(`${message}`, /No space left|Read-only file system/);
      assert.match(`${hint}`, /changes nothing/);
      assert.doesNotMatch(`${hint}`, /XDG_STATE_HOME/); // it is where it is
      assert.equal(await machine.rules(), before);
      assert.deepEqual(await machine.journals(), []);
    },
  );
}

test(
  "with /run full at its end, the root helper takes back everything",
  async (machine, before) => {
    await using client = machine.startClient();
    await client.ready();
    assert.match(await machine.rules(), /ktctl_helpertest/);
    await fill(machine);
    await client.endInput();
    await client.says("closed");
    assert.equal(await machine.rules(), before);
    assert.deepEqual(await machine.journals(), []);
  },
);

test(
  "what a dead root helper left is taken back by the next with /run full",
  async (machine, before) => {
    await using first = machine.startClient();
    const { helper } = await first.ready();
    Deno.kill(helper, "SIGKILL");
    await first.says("failed");
    // its journal has no room either
    const pad = "cd /run/ktctl && truncate -s %4096 ./*.jsonl && cat ./*";
    assert.equal((await machine.run("sh", "-c", pad)).code, 0);
    await fill(machine);
    await using second = machine.startClient();
    await second.says("ready");
    await second.endInput();
    await eventually(
      "the rules are as before",
      async () => await machine.rules() === before,
    );
    assert.deepEqual(await machine.journals(), []);
  },
);
