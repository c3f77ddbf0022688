import assert from "node:assert/strict";
import { UsageError } from "../../src/core/errors.ts";
import { RootHelperClient } from "../../src/helper/root_helper_client.ts";
import { helperCommand, ownProgram } from "../../src/helper/helper_command.ts";
import { helperText } from "../../src/helper/helper_text.ts";
import { run } from "../cluster/command.ts";
import { eventually } from "../cluster/laptop.ts";
import { Terminal } from "../cluster/terminal.ts";
import { HelperMachine, PASSWORD } from "./helper_machine.ts";
import { REDIRECT } from "./helper_redirect.ts";
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
  assert.equal((await machine.asUser("--version")).code, 0); // as it would have been
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

test("without root it is seen whether root has anything to take back", async () => {
  const { machine } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  const clean = () => machine.asUser("clean", "--localOnly");
  const isClean = async (title: string) => {
    const { code, stdout, stderr } = await clean();
    assert.equal(code, 0, `${title}: ${stdout}${stderr}`);
    assert.match(stdout + stderr, /Nothing to clean on this laptop/, title);
  };
  await machine.run("mkdir", "-m", "700", "/run/ktctl");
  await isClean("the empty folder of an earlier version");
  {
    await using client = machine.startClient();
    await client.ready();
    await isClean("the journal of a helper that lives");
    await client.endInput();
    await client.says("closed");
  }
  assert.notEqual((await machine.run("test", "-e", "/run/ktctl")).code, 0);
  await isClean("after the end");
  await using client = machine.startClient();
  const { helper } = await client.ready();
  Deno.kill(helper, "SIGKILL");
  await client.says("failed");
  const { code, stderr } = await clean();
  assert.equal(code, 4, stderr);
  assert.match(stderr, /Cannot become root/);
});

test("the record of a helper that was killed before its first change goes with the next clean", async () => {
  const { machine, before } = await machineWithRules({
    sudoers: "NOPASSWD: ALL",
  });
  await using _ = machine;
  await using client = machine.startClient();
  const { helper } = await client.ready();
  const [name] = await machine.journals();
  const record = `/run/ktctl/${name}`;
  const [header] = (await machine.run("cat", record)).stdout.split("\n");
  await client.endInput();
  await client.says("closed");
  await gone(helper);
  for (const text of [`${header}\n`, header!.slice(0, 40), ""]) {
    const write = `mkdir /run/ktctl; printf %s '${text}' > ${record}`;
    await machine.run("sh", "-c", write);
    assert.deepEqual(await machine.journals(), [name]);
    const cleaned = await machine.ktctl("clean", "--localOnly");
    assert.equal(cleaned.code, 0, cleaned.stderr);
    const { stdout } = await machine.run("ls", "/run");
    assert.doesNotMatch(stdout, /ktctl/, text);
  }
  assert.equal(await machine.rules(), before);
});

test("without a terminal nobody is asked for a password: sudo's refusal is an error of its own", async () => {
  const { machine, before } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  await using client = machine.startClient("user");
  const { code, exitCode } = await client.says("error");
  assert.deepEqual({ code, exitCode }, { code: "ROOT_REFUSED", exitCode: 4 });
  assert.equal(await machine.rules(), before);
});

for (const defaults of ["use_pty", "!use_pty"]) {
  test(`in a terminal sudo asks with our sentence, and Ctrl-C leaves the helper to the client (${defaults})`, async () => {
    const rules = { sudoers: "ALL", defaults };
    const { machine, before } = await machineWithRules(rules);
    await using _ = machine;
    await using terminal = openTerminal(machine);
    await terminal.shows("Password of tester:");
    assert.match(terminal.screen, /\n\r?\nktctl needs root to change routes/);
    await terminal.type(`${PASSWORD}\n`);
    await terminal.shows(`"ready"`);
    assert.match(await machine.rules(), /ktctl_helpertest/);
    await terminal.pressCtrlC();
    await terminal.shows(`"alive"`);
    await terminal.shows(`"closed"`);
    assert.equal(await machine.rules(), before);
  });
}

test("a terminal that closes takes the client along, and the helper undoes", async () => {
  const { machine, before } = await machineWithRules({
    sudoers: "NOPASSWD: ALL",
  });
  await using _ = machine;
  await using terminal = openTerminal(machine);
  await terminal.shows(`"ready"`);
  const helper = Number(/"helper":(\d+)/.exec(terminal.screen)?.[1]);
  terminal.close();
  await gone(helper);
  assert.equal(await machine.rules(), before);
});

test("Ctrl-C at sudo's prompt is a cancellation, not a refusal", async () => {
  const { machine } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  await using terminal = openTerminal(machine);
  await terminal.shows("Password of tester:");
  await terminal.pressCtrlC();
  await terminal.shows(`"CANCELLED"`);
});

function openTerminal(machine: HelperMachine): Terminal {
  return new Terminal(machine.clientWords("user").join(" "), {});
}

test("a Ctrl-C during the undo does not kill the programs that undo", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  await machine.slowDown("nft");
  await using client = machine.startClient();
  const { pid } = await client.ready();
  await machine.run("touch", "/mnt/slow");
  await client.endInput();
  await eventually(
    "nft runs",
    async () => (await machine.run("test", "-e", "/mnt/begun")).code === 0,
  );
  await run("kill", ["-INT", "--", `-${pid}`]);
  await client.says("closed");
  await machine.run("rm", "/mnt/slow");
  assert.equal(await machine.rules(), before);
});

test("a helper that comes by pipe needs no cache of modules, and errors keep their class", async () => {
  const { machine, before } = await machineWithRules();
  await using _ = machine;
  const { argv, env, stdin } = helperCommand(
    { ...ownProgram(), mainModule: "https://example.com/ktctl.js" },
    await helperText(new AbortController().signal),
  );
  const child = machine.spawn(
    "env",
    "-i",
    `PATH=${Deno.env.get("PATH")}`,
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...argv,
  );
  const writer = child.stdin.getWriter();
  await writer.write(stdin);
  writer.releaseLock();
  {
    await using client = new RootHelperClient({
      ...child,
      stdin: child.stdin,
      stdout: child.stdout,
      ended: child.status.then(({ code }) => code),
    });
    await client.ready();
    await client.open("redirect.open", REDIRECT);
    assert.match(await machine.rules(), /ktctl_helpertest/);
    await assert.rejects(client.open("redirect.open", {}), UsageError);
  }
  assert.equal((await child.status).code, 0);
  assert.equal(await machine.rules(), before);
});

test("who is not root cannot be the helper", async () => {
  const { machine } = await machineWithRules({ sudoers: "ALL" });
  await using _ = machine;
  const { code, stderr } = await machine.asUser("__helper");
  assert.equal(code, 4, stderr);
  assert.match(stderr, /needs root/);
});
