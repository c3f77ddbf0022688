/** A machine of its own for tests of DNS: network and /etc are a namespace's, programs are real. */
import assert from "node:assert/strict";
import { type CommandResult, run, succeeded } from "../cluster/command.ts";
import { DNSMASQ_FLAGS } from "./dnsmasq_flags.ts";
import { makeEtc } from "./make_etc.ts";

export const UPSTREAM = "127.0.0.10";
export const CLUSTER_DNS = "127.0.0.20";
/** What the machine's resolver says before and after; the missing end of line is on purpose. */
export const RESOLV_CONF =
  `# written by the test\nsearch corp.example\nnameserver ${UPSTREAM}\noptions timeout:2 attempts:1`;

const MANY = Array.from(
  { length: 60 },
  (_, n) => `10.244.1.${n} many.default.svc.cluster.local`,
).join("\n");

/** Programs that the tests ask with, and the packages that have them. */
const PROGRAMS = { dnsmasq: "dnsmasq-base", dig: "bind9-dnsutils" };

/** Why the tests cannot run here; installs what is missing where that goes. */
export async function obstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  for (const [program, name] of Object.entries(PROGRAMS)) {
    const find = () => run("sh", ["-c", `command -v ${program}`]);
    if ((await find()).code === 0) continue;
    const script =
      `die() { echo "$1" >&2; exit 1; }; . test/cluster/apt.sh; apt_install ${name}`;
    await run("bash", ["-c", script], { timeout: 300_000 });
    if ((await find()).code !== 0) return `needs ${program}, of ${name}`;
  }
}

export class DnsNamespace implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync();
  #holder: Deno.ChildProcess | undefined;
  #servers: Deno.ChildProcess[] = [];
  #env: Record<string, string> = {};

  static async start(
    options: { mountedResolvConf?: boolean; path?: string } = {},
  ): Promise<DnsNamespace> {
    const it = new DnsNamespace();
    if (options.path !== undefined) {
      it.#env = { PATH: `${options.path}:${Deno.env.get("PATH")}` };
    }
    const etc = `${it.folder}/etc`;
    await makeEtc(etc, RESOLV_CONF);
    await Deno.writeTextFile(`${it.folder}/many`, MANY);
    const script = [
      `mount --bind ${etc} /etc`,
      options.mountedResolvConf
        ? "mount --bind /etc/resolv.conf /etc/resolv.conf"
        : ":",
      "ip link set lo up",
      // libc looks up addresses of a family only where the machine has one beside loopback
      "ip link add lan type veth peer name far",
      "ip address add 198.51.100.2/24 dev lan",
      "ip link set lan up",
      "ip link set far up",
      "echo ready",
      "exec cat",
    ].join(" && ");
    it.#holder = new Deno.Command("unshare", {
      args: ["--net", "--mount", "--propagation=private", "sh", "-c", script],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await firstLine(it.#holder.stdout);
    await it.#startServers();
    return it;
  }

  /** The cluster's name server, which knows its zone and asks upstream, and one for the Internet. */
  async #startServers(): Promise<void> {
    const common = [...DNSMASQ_FLAGS, "--local-ttl=5"];
    const zone = "default.svc.cluster.local";
    await this.#startDnsmasq(CLUSTER_DNS, [
      ...common,
      `--addn-hosts=${this.folder}/many`,
      "--local=/cluster.local/",
      `--server=${UPSTREAM}`,
      "--bogus-priv",
      `--host-record=web.${zone},10.96.0.1`,
      `--host-record=web-0.web.${zone},10.244.0.7`,
      "--host-record=db.prod.svc.cluster.local,10.96.0.2",
      // Services that are called like others' names
      "--host-record=google.com.svc.cluster.local,10.96.0.66",
      "--host-record=failing.com.svc.cluster.local,10.96.0.66",
      `--host-record=wpad.${zone},10.96.0.66`,
      `--host-record=localhost.${zone},10.96.0.66`,
      `--srv-host=_http._tcp.web.${zone},web.${zone},80`,
      `--host-record=www.example.com,192.0.2.1`,
      `--cname=ext.${zone},www.example.com`,
    ]);
    await this.#startDnsmasq(UPSTREAM, [
      ...common,
      "--address=/#/",
      "--host-record=www.example.com,192.0.2.1",
      "--host-record=google.prod,192.0.2.2",
      "--host-record=google.com,192.0.2.2",
      // nobody is there: SERVFAIL, or silence
      "--server=/failing.com/127.0.0.99",
      "--txt-record=txt.example.com,hello",
      "--host-record=intranet.corp.example,192.0.2.3",
    ]);
  }

  async #startDnsmasq(address: string, args: string[]): Promise<void> {
    const child = this.spawn("dnsmasq", [
      `--listen-address=${address}`,
      ...args,
    ], { stderr: "piped" });
    this.#servers.push(child);
    await firstLine(child.stderr); // "started", after it listens
  }

  /** Starts a program in the namespace. */
  spawn(
    program: string,
    args: string[],
    options: Deno.CommandOptions = {},
  ): Deno.ChildProcess {
    return new Deno.Command("nsenter", {
      args: [...this.#enter(), program, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
      env: this.#env,
      ...options,
    }).spawn();
  }

  run(program: string, args: string[]): Promise<CommandResult> {
    return run("nsenter", [...this.#enter(), program, ...args], {
      env: this.#env,
    });
  }

  /** What a program of the namespace says; it must have succeeded. */
  async output(program: string, ...args: string[]): Promise<string> {
    return succeeded(await this.run(program, args)).trim();
  }

  get resolvConf(): string {
    return Deno.readTextFileSync(`${this.folder}/etc/resolv.conf`);
  }

  #enter(): string[] {
    assert.ok(this.#holder);
    return ["--target", `${this.#holder.pid}`, "--net", "--mount", "--wd=."];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.kill("SIGKILL");
      await server.stderr.cancel();
      await server.status;
    }
    await this.#holder?.stdin.close();
    await this.#holder?.stdout.cancel().catch(() => {});
    await this.#holder?.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Waits for the first line that a program writes; the rest is thrown away. */
export async function firstLine(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) assert.fail(`the program ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    if (text.includes("\n")) break;
  }
  reader.releaseLock();
  return text;
}
