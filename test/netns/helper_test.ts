import assert from "node:assert/strict";
import { run } from "../cluster/command.ts";
import { eventually } from "../cluster/laptop.ts";
import { Terminal } from "../cluster/terminal.ts";
import { HelperMachine, PASSWORD } from "./helper_machine.ts";
import { obstacleWithout } from "./packages.ts";

const obstacle = await obstacleWithout({
  nft: "nftables",
  ip: "iproute2",
  sudo: "sudo",
  openssl: "openssl",
  script: "bsdutils",
});

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

/** The helper is a child of nobody that the test knows. */
function gone(pid: number): Promise<unknown> {
  return eventually("the helper has ended", () => {
    try {
      return !Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(
        "__helper",
      );
    } catch {
      return true;
    }
  }, 10_000);
}

async function machineWithRules(
  options: { sudoers?: string } = {},
): Promise<{ machine: HelperMachine; before: string }> {
  const machine = await HelperMachine.start(options);
  await machine.run("nft", "add", "table", "ip", "somebody");
  return { machine, before: await machine.rules() };
}

test("the helper takes back everything at the end of its input", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await using client = machine.startClient();
  const { helper } = await client.ready();
  assert.match(await machine.rules(), /ktctl_helpertest/);
  assert.equal((await machine.journals()).length, 1);
  const environment = Deno.readTextFileSync(`/proc/${helper}/environ`);
  assert.doesNotMatch(environment, /KUBECONFIG/);
  await client.endInput();
  await client.says("closed");
  assert.equal(await machine.rules(), before);
  assert.deepEqual(await machine.journals(), []);
});

test("a client killed with SIGKILL leaves nothing, even while a program that it started lives on", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await using client = machine.startClient();
  const { helper, child } = await client.ready();
  client.kill();
  await gone(helper);
  assert.ok(Deno.statSync(`/proc/${child}`).isDirectory);
  assert.equal(await machine.rules(), before);
  assert.deepEqual(await machine.journals(), []);
});

test("what a helper killed with SIGKILL leaves is taken back by the next, but not what a living one has", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await using first = machine.startClient();
  const { helper } = await first.ready();
  Deno.kill(helper, "SIGKILL");
  assert.equal((await first.says("failed")).code, "HELPER_LOST");
  assert.match(await machine.rules(), /ktctl_helpertest/);
  await using second = machine.startClient();
  const { swept } = await second.ready();
  assert.deepEqual(swept, [
    `redirect of the cluster's addresses by the nft table "ktctl_helpertest"`,
  ]);
  await using third = machine.startClient();
  assert.deepEqual((await third.ready()).swept, []);
  await third.endInput();
  await third.says("closed");
  await second.endInput();
  await second.says("closed");
  assert.equal(await machine.rules(), before);
  assert.deepEqual(await machine.journals(), []);
});

test("a Ctrl-C, a hang-up and a quit of the whole group undo nothing before the client is done", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await using client = machine.startClient();
  const { helper, pid } = await client.ready();
  const group = Deno.readTextFileSync(`/proc/${helper}/stat`).split(" ")[4];
  assert.equal(group, `${pid}`, "the helper is in the client's group");
  await run("kill", ["-INT", "--", `-${pid}`]);
  await client.says("alive");
  Deno.kill(helper, "SIGHUP");
  Deno.kill(helper, "SIGQUIT");
  assert.match(await machine.rules(), /ktctl_helpertest/);
  await client.endInput();
  await client.says("closed");
  assert.equal(await machine.rules(), before);
});

test("SIGTERM has the helper take back everything and end", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await using client = machine.startClient();
  const { helper } = await client.ready();
  Deno.kill(helper, "SIGTERM");
  assert.equal((await client.says("failed")).code, "HELPER_ENDED");
  assert.equal(await machine.rules(), before);
});

test("a user gets the helper by sudo: it writes nothing into the user's home, and outlives no kill", async () => {
  const { machine, before } = await machineWithRules({
    sudoers: "NOPASSWD: ALL",
  });
  await using _ = machine;
  await machine.warmUp();
  {
    await using client = machine.startClient("user");
    await client.ready();
    assert.match(await machine.rules(), /ktctl_helpertest/);
    await client.endInput();
    await client.says("closed");
    assert.equal(await machine.rules(), before);
  }
  await using client = machine.startClient("user");
  const { helper } = await client.ready();
  client.kill();
  await gone(helper);
  assert.equal(await machine.rules(), before);
  assert.equal(await machine.foreignFiles(), "");
});

test("without a terminal nobody is asked for a password: sudo's refusal is an error of its own", async () => {
  const { machine, before } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  await using client = machine.startClient("user");
  const { code, exitCode } = await client.says("error");
  assert.deepEqual({ code, exitCode }, { code: "ROOT_REFUSED", exitCode: 4 });
  assert.equal(await machine.rules(), before);
});

test("in a terminal sudo asks with our sentence, and Ctrl-C leaves the helper to the client", async () => {
  const { machine, before } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  const words = machine.clientWords("user").join(" ");
  await using terminal = new Terminal(words, {});
  await terminal.shows("Password of tester:");
  assert.match(terminal.screen, /ktctl needs root to change routes/);
  await terminal.type(`${PASSWORD}\n`);
  await terminal.shows(`"ready"`);
  assert.match(await machine.rules(), /ktctl_helpertest/);
  await terminal.pressCtrlC();
  await terminal.shows(`"alive"`);
  await terminal.shows(`"closed"`);
  assert.equal(await machine.rules(), before);
});
