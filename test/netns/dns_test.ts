import assert from "node:assert/strict";
import { removeResolvConfBlock } from "../../src/link/dns/resolv_conf_block.ts";
import { run } from "../cluster/command.ts";
import {
  DnsNamespace,
  obstacle,
  RESOLV_CONF,
  UPSTREAM,
} from "./dns_namespace.ts";
import {
  endSession,
  getent,
  killSession,
  startSession,
  sweep,
} from "./dns_session_process.ts";

const reason = await obstacle();
if (reason !== undefined) console.log(`DNS in a namespace: skipped: ${reason}`);
const skipped = reason !== undefined;

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

    await t.step(
      "no Service gets a name that is another's, also where that cannot be found for a moment",
      async () => {
        assert.match(await getent(space, "google.com"), /^192\.0\.2\.2 /);
        assert.equal(await getent(space, "failing.com"), "none");
        assert.equal(await getent(space, "wpad"), "none");
        assert.match(await getent(space, "localhost"), /^127\.0\.0\.1 |none/);
        assert.equal(await short("localhost"), "");
        assert.equal(await short("google.com.svc"), "10.96.0.66");
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
    await sweep(space);
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

Deno.test({
  name:
    "where the system has no watch left, that is told and names work all the same",
  ignore: skipped,
  async fn() {
    const folder = await Deno.makeTempDir();
    await Deno.mkdir(`${folder}/etc`);
    const module = (path: string) =>
      JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
    const script = `
      const { Scope } = await import(${module("src/undo/scope.ts")});
      const { MemoryJournal } = await import(${
      module("test/unit/core/memory_journal.ts")
    });
      const { resolvConfOperation } = await import(${
      module("src/helper/operations/resolv_conf_operation.ts")
    });
      const scope = Scope.root({ world: { root: Deno.args[0] },
        journal: new MemoryJournal(), signal: new AbortController().signal });
      const told = Promise.withResolvers();
      scope.failed.catch(told.reject);
      const args = { nameserver: "127.0.0.153", search: [] };
      await resolvConfOperation.apply(args, scope, told.resolve);
      console.log(JSON.stringify(await told.promise));
      console.log(Deno.readTextFileSync(Deno.args[0] + "/etc/resolv.conf"));
      await scope.dispose();`;
    // a user namespace has a limit of its own, below the machine's
    const limit = 'echo 0 > /proc/sys/user/max_inotify_instances; exec "$@"';
    const { stdout, stderr } = await run("unshare", [
      ...["--user", "--map-root-user", "sh", "-ec", limit, "sh"],
      ...[Deno.execPath(), "eval", script, folder],
    ]);
    assert.match(
      stdout,
      /^{"type":"resolv-conf-unwatched","reason":"EMFILE/,
      stderr,
    );
    assert.match(stdout, /^nameserver 127\.0\.0\.153$/m);
    await Deno.remove(folder, { recursive: true });
  },
});
