import assert from "node:assert/strict";
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { AGENT_DIR } from "../../../../src/link/agent/agent_config.ts";
import {
  AGENT,
  agentSource,
} from "../../../../src/cluster/shadow/agent_source.ts";
import { parseResolvConf } from "../../../../src/link/dns/parse_resolv_conf.ts";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import {
  AgentProcess,
  answering,
  exchange,
  podCommand,
  portOf,
} from "./agent_process.ts";
import { udpPeer } from "./udp_peer.ts";

Deno.test("the bundled agent runs with the pod's command, without environment and a place to write", async () => {
  await using dir = await temporaryDir();
  const file = `${dir.path}/agent.js`;
  await writeFile(file, await agentSource({ cacheDir: `${dir.path}/cache` }));
  await chmod(file, 0o444);
  const command = commandIn(dir.path, await readFile(file, "utf8"));
  await using original = await answering("original");
  await using local = await answering("local");
  await using agent = await AgentProcess.start({
    command,
    // Not even root can write there.
    env: { DENO_DIR: "/proc/none", HOME: "/proc/none", TMPDIR: "/proc/none" },
    fallback: { host: "127.0.0.1", port: portOf(original) },
  });
  assert.equal(await exchange(agent.port, "abc"), "original 3");
  await using link = await agent.link();
  await link.attach(agent.port, () => connectLocal(portOf(local)));
  assert.equal(await exchange(agent.port, "abc"), "local 3");
  assert.equal(await agent.ready(), 200);
  // each of these needs something of its own that Deno may forbid
  await using echo = await udpPeer();
  const channel = await link.openDatagrams("localhost", echo.port);
  const answered = new Promise((resolve) => channel.onMessage = resolve);
  channel.send(Uint8Array.of(1));
  assert.deepEqual(await answered, Uint8Array.of(1));
  channel.close();
  const resolvConf = await readFile("/etc/resolv.conf", "utf8");
  assert.deepEqual(await link.resolver(), parseResolvConf(resolvConf));
  assert.equal(await link.isReachable("127.0.0.1"), true);
});

Deno.test("code that is not the agent which the pod was made with is not run, and the pod's log says why", async () => {
  await using dir = await temporaryDir();
  const file = `${dir.path}/agent.js`;
  await writeFile(file, 'console.error("foreign code");');
  const command = commandIn(dir.path, await agentSource());
  await assert.rejects(AgentProcess.start({ command }), {
    message: /^Agent ended: \S+agent\.js is not the agent .* not run\n$/,
  });
});

Deno.test("an agent does not serve with other keys than those which the pod was made with", async () => {
  const madeWith = generateKeyPair();
  await assert.rejects(AgentProcess.start({ madeWith }), {
    message: /cannot start: The Secret's keys are not those/,
  });
});

/** As in the pod, with its files there. */
function commandIn(dir: string, source: string): string[] {
  return podCommand(source).map((argument) =>
    argument.replaceAll(encodeURIComponent(AGENT_DIR), encodeURIComponent(dir))
      .replace("--allow-read=/ktctl", `--allow-read=${tmpdir()}`)
  );
}

Deno.test("the agent is built once per version of its sources and fits into a ConfigMap", async () => {
  await using dir = await temporaryDir();
  // as one of another ktctl's that is renamed between a look at the folder and one at the file
  await symlink("gone", `${dir.path}/unfinished.js`);
  const first = await agentSource({ cacheDir: dir.path });
  assert.ok(first.length < 1_000_000);
  const [name, ...rest] = (await readdir(dir.path)).toSorted();
  assert.deepEqual(rest, ["unfinished.js"]);
  const { mtimeMs } = await stat(`${dir.path}/${name}`);
  assert.equal(await agentSource({ cacheDir: dir.path }), first);
  assert.equal((await stat(`${dir.path}/${name}`)).mtimeMs, mtimeMs);
});

Deno.test("an embedded agent is used as it is", async () => {
  const globals = globalThis as Record<string, unknown>;
  globals[AGENT.embedded] = "the agent";
  try {
    assert.equal(await agentSource({ cacheDir: "/nonexistent" }), "the agent");
  } finally {
    delete globals[AGENT.embedded];
  }
});

async function temporaryDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(`${tmpdir()}/ktctl-bundle-`);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
