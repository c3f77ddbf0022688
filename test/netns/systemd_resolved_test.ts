import assert from "node:assert/strict";
import { DnsNamespace, obstacle } from "./dns_namespace.ts";
import {
  endSession,
  getent,
  killSession,
  startSession,
  sweep,
} from "./dns_session_process.ts";
import { SystemdResolved, unpackResolved } from "./systemd_resolved.ts";

const folder = await Deno.makeTempDir();
const reason = await obstacle() ?? await unpackResolved(folder);
if (reason !== undefined) console.log(`systemd-resolved: skipped: ${reason}`);
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(folder, { recursive: true }),
);

Deno.test({
  name:
    "with systemd-resolved, the cluster's names come from the cluster and all else from where it came",
  ignore: reason !== undefined,
  async fn(t) {
    await using space = await DnsNamespace.start({
      path: `${folder}/usr/bin`,
    });
    await using _resolved = await SystemdResolved.start(space, folder);
    const link = () => space.output("resolvectl", "status", "kt0");
    const before = await link();
    const session = await startSession(space);

    await t.step("names of all forms", async () => {
      assert.match(await getent(space, "web"), /^10\.96\.0\.1 /);
      assert.match(await getent(space, "db.prod"), /^10\.96\.0\.2 /);
      assert.match(await getent(space, "db.prod.svc"), /^10\.96\.0\.2 /);
      assert.match(
        await getent(space, "web-0.web.default.svc.cluster.local"),
        /^10\.244\.0\.7 /,
      );
      assert.match(
        await space.output("getent", "hosts", "10.96.0.2"),
        /db\.prod\.svc\.cluster\.local/,
      );
    });

    await t.step(
      "the Internet's, also where a namespace has the name of its top",
      async () => {
        assert.match(await getent(space, "www.example.com"), /^192\.0\.2\.1 /);
        assert.match(await getent(space, "google.prod"), /^192\.0\.2\.2 /);
        assert.equal(
          await getent(space, "no.default.svc.cluster.local"),
          "none",
        );
      },
    );

    await t.step(
      "a link that goes on carries nothing after the end",
      async () => {
        await endSession(session);
        assert.equal(await link(), before);
        assert.equal(await getent(space, "web"), "none");
        assert.match(await getent(space, "www.example.com"), /^192\.0\.2\.1 /);
      },
    );

    await t.step("nor after a kill and the journal", async () => {
      await killSession(await startSession(space));
      assert.notEqual(await link(), before);
      await sweep(space);
      assert.equal(await link(), before);
    });
  },
});

Deno.test({
  name:
    "the cluster's names resolve where the machine wants TLS and signatures of every name server",
  ignore: reason !== undefined,
  async fn() {
    await using space = await DnsNamespace.start({
      path: `${folder}/usr/bin`,
    });
    await using _resolved = await SystemdResolved.start(space, folder, {
      security: "DNSSEC=yes\nDNSOverTLS=yes",
    });
    const session = await startSession(space);
    assert.match(await getent(space, "web"), /^10\.96\.0\.1 /);
    assert.match(await getent(space, "db.prod.svc"), /^10\.96\.0\.2 /);
    await endSession(session);
  },
});
