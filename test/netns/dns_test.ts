import assert from "node:assert/strict";
import { removeResolvConfBlock } from "../../src/core/dns/resolv_conf_block.ts";
import {
  CLUSTER_DNS,
  DnsNamespace,
  firstLine,
  obstacle,
  RESOLV_CONF,
  UPSTREAM,
} from "./dns_namespace.ts";

const reason = await obstacle();
if (reason !== undefined) console.log(`DNS in a namespace: skipped: ${reason}`);
const skipped = reason !== undefined;

const POD_RESOLV_CONF = `nameserver ${CLUSTER_DNS}
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`;
const deno = Deno.execPath();

/** A session in the namespace, ready. */
async function startSession(space: DnsNamespace): Promise<Deno.ChildProcess> {
  const child = space.spawn(deno, [
    "run",
    "-A",
    "--quiet",
    "test/netns/dns_session.ts",
    `${space.folder}/journals`,
    POD_RESOLV_CONF,
  ], { stdin: "piped", stdout: "piped" });
  await firstLine(child.stdout);
  return child;
}

async function endSession(session: Deno.ChildProcess): Promise<void> {
  await session.stdin.close();
  const { success } = await session.status;
  await session.stdout.cancel();
  assert.ok(success);
}

async function killSession(session: Deno.ChildProcess): Promise<void> {
  session.kill("SIGKILL");
  await session.status;
  await session.stdout.cancel();
  await session.stdin.close().catch(() => {});
}

/** What libc says: the address, and its name for the host. */
async function getent(space: DnsNamespace, name: string): Promise<string> {
  const { stdout } = await space.run("getent", ["ahostsv4", name]);
  const [address = "none", , canonical = ""] = stdout.split("\n")[0]
    ?.split(/\s+/) ?? [];
  return address === "" ? "none" : `${address} ${canonical}`.trim();
}

Deno.test({
  name:
    "libc and dig get the cluster's names and the Internet's, and resolv.conf is as before at the end",
  ignore: skipped,
  async fn(t) {
    await using space = await DnsNamespace.start();
    const dig = (...args: string[]) =>
      space.output("dig", "+tries=1", "+time=3", ...args);
    const short = (...args: string[]) => dig("+short", ...args);
    const status = async (...args: string[]) =>
      /status: (\w+)/.exec(await dig(...args))?.[1];
    assert.equal(await getent(space, "web"), "none");
    const session = await startSession(space);

    await t.step("libc resolves all forms of a Service's name", async () => {
      assert.equal(
        await getent(space, "web"),
        "10.96.0.1 web.default.svc.cluster.local",
      );
      assert.equal(await getent(space, "db.prod"), "10.96.0.2 db.prod");
      assert.equal(await getent(space, "db.prod.svc"), "10.96.0.2 db.prod.svc");
      assert.match(
        await getent(space, "db.prod.svc.cluster.local"),
        /^10\.96\.0\.2/,
      );
      assert.match(await getent(space, "web-0.web"), /^10\.244\.0\.7/);
      assert.equal(
        await getent(space, "ext"),
        "192.0.2.1 www.example.com",
      );
    });

    await t.step(
      "libc resolves the Internet and the machine's own domain as before",
      async () => {
        assert.equal(
          await getent(space, "www.example.com"),
          "192.0.2.1 www.example.com",
        );
        assert.match(await getent(space, "intranet"), /^192\.0\.2\.3/);
        assert.match(await getent(space, "google.prod"), /^192\.0\.2\.2/);
        assert.equal(await getent(space, "nobody.example.com"), "none");
      },
    );

    await t.step("names are found for addresses of the cluster", async () => {
      assert.match(
        await space.output("getent", "hosts", "10.96.0.1"),
        /web\.default\.svc\.cluster\.local/,
      );
      assert.equal(
        await short("-x", "10.96.0.2"),
        "db.prod.svc.cluster.local.",
      );
      assert.equal(await status("-x", "10.96.0.77"), "NXDOMAIN");
    });

    await t.step(
      "dig completes nothing, and gets short names over UDP and TCP",
      async () => {
        assert.equal(await short("web"), "10.96.0.1");
        assert.equal(await short("+tcp", "web"), "10.96.0.1");
        assert.equal(await short("+noedns", "db.prod"), "10.96.0.2");
        assert.equal(
          await short("SRV", "_http._tcp.web"),
          "0 0 80 web.default.svc.cluster.local.",
        );
        assert.equal(await short("TXT", "txt.example.com"), '"hello"');
      },
    );

    await t.step("an unknown name of the cluster is NXDOMAIN", async () => {
      assert.equal(await status("no.default.svc.cluster.local"), "NXDOMAIN");
      assert.equal(await status("no.prod.svc"), "NXDOMAIN");
    });

    await t.step(
      "sixty addresses come whole: truncated, then over TCP",
      async () => {
        const name = "many.default.svc.cluster.local";
        assert.equal((await short("+noedns", name)).split("\n").length, 60);
        const cut = await dig("+noedns", "+ignore", name);
        assert.match(cut, /flags: [^;]*\btc\b/);
        const asked = await dig("+noedns", "+ignore", "many");
        const count = Number(/ANSWER: (\d+)/.exec(asked)?.[1]);
        assert.ok(count > 15 && count < 60, `${count} in the datagram`);
        const { stdout } = await space.run("getent", ["ahostsv4", "many"]);
        assert.equal(new Set(stdout.match(/^10\.244\.1\.\d+/gm)).size, 60);
      },
    );

    await endSession(session);
    assert.equal(space.resolvConf, RESOLV_CONF);
    assert.match(await getent(space, "www.example.com"), /^192\.0\.2\.1/);
    assert.equal(await getent(space, "web"), "none");
  },
});

Deno.test({
  name:
    "a killed session's resolv.conf is restored byte for byte by the journal, and from the file alone",
  ignore: skipped,
  async fn() {
    await using space = await DnsNamespace.start();
    await killSession(await startSession(space));
    assert.match(space.resolvConf, /nameserver 127\.0\.0\.153/);
    assert.equal(removeResolvConfBlock(space.resolvConf)?.before, RESOLV_CONF);
    await space.output(
      deno,
      "run",
      "-A",
      "--quiet",
      "test/netns/dns_sweep.ts",
      `${space.folder}/journals`,
    );
    assert.equal(space.resolvConf, RESOLV_CONF);
  },
});

Deno.test({
  name:
    "a session that starts after a killed one does not ask itself, and restores what was before both",
  ignore: skipped,
  async fn() {
    await using space = await DnsNamespace.start();
    await killSession(await startSession(space));
    await Deno.remove(`${space.folder}/journals`, { recursive: true });
    const session = await startSession(space);
    assert.equal(
      await getent(space, "www.example.com"),
      "192.0.2.1 www.example.com",
    );
    await endSession(session);
    assert.equal(space.resolvConf, RESOLV_CONF);
    assert.match(RESOLV_CONF, new RegExp(UPSTREAM));
  },
});

Deno.test({
  name:
    "a resolv.conf that is a mount of its own, as in a container, is written in place",
  ignore: skipped,
  async fn() {
    await using space = await DnsNamespace.start({ mountedResolvConf: true });
    const session = await startSession(space);
    assert.match(await getent(space, "web"), /^10\.96\.0\.1/);
    await endSession(session);
    assert.equal(space.resolvConf, RESOLV_CONF);
    assert.deepEqual(
      [...Deno.readDirSync(`${space.folder}/etc`)].filter(({ name }) =>
        name.endsWith(".ktctl")
      ),
      [],
    );
  },
});
