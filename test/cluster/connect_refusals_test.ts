// What `connect` cannot do it says before it makes anything, and leaves nothing.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import { succeeded } from "./command.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import type { KtctlResult } from "./ktctl_process.ts";

const ignore = obstacle !== undefined;

interface Refusal {
  readonly code: string;
  readonly exitCode: number;
  /** The laptop and the namespace. @default the lab's */
  readonly before?: string;
  readonly namespaceBefore?: string;
}

/** That it ended with this, and that all is as before. */
async function assertRefused(
  lab: ConnectLab,
  { code, error, stdout }: KtctlResult,
  expected: Refusal,
): Promise<{ message: string; hint: string }> {
  const { before, namespaceBefore } = { ...lab, ...expected };
  assert.equal(error?.["code"], expected.code, stdout);
  assert.equal(code, expected.exitCode, stdout);
  assert.equal(await lab.laptop.snapshot(), before);
  assert.equal(await lab.namespace.snapshot(), namespaceBefore);
  return { message: error["message"], hint: error["hint"] };
}

const SHADOW_STEP = '"name":"start the Shadow Pod"';

Deno.test({
  name:
    "connect: what stands in the way is told, mostly before a Shadow Pod is made, and nothing is changed",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    const refuse = async (
      args: string[],
      expected: Refusal,
      env: Record<string, string> = {},
    ) => {
      const result = await laptop.ktctl(["connect", ...args], env).ended();
      assert.ok(!result.stdout.includes(SHADOW_STEP), result.stdout);
      return await assertRefused(lab, result, expected);
    };

    await t.step(
      "a port of the proxy, or of the name server, that is taken",
      async () => {
        const listen =
          "for (const [hostname, port] of [['127.0.0.1', 2223], ['127.0.0.153', 53]]) Deno.listen({ hostname, port }); console.log('ready'); setInterval(() => {}, 9e8)";
        const taker = laptop.spawn([Deno.execPath(), "eval", listen], {
          stdout: "piped",
        });
        const reader = taker.stdout.getReader();
        await reader.read();
        const before = await laptop.snapshot();
        for (const args of [[], ["--disableTunDevice"]]) {
          const { message, hint } = await refuse(args, {
            code: "PORT_TAKEN",
            exitCode: 7,
            before,
          });
          assert.match(message, /127\.0\.0\.1:2223/);
          assert.match(hint, /--proxyPort/);
        }
        const ports = [[2223, "127.0.0.1:2223"], [5353, "127.0.0.153:53"]];
        for (const [dnsPort, taken] of ports) {
          const args = ["--proxyPort", "2224", "--dnsPort", `${dnsPort}`];
          const { message, hint } = await refuse(args, {
            code: "DNS_PORT_TAKEN",
            exitCode: 7,
            before,
          });
          assert.match(message, new RegExp(`at "${taken}": the port is taken`));
          assert.match(hint, /--dnsMode hosts/);
        }
        taker.kill("SIGKILL");
        await taker.status;
        await reader.cancel();
      },
    );

    await t.step("a name of no context", async () => {
      const { message } = await refuse(["--context", "nowhere"], {
        code: "CONTEXT_UNKNOWN",
        exitCode: 2,
      });
      assert.match(message, /"nowhere"/);
    });

    await t.step("nft and iptables", async () => {
      const bin = `${laptop.folder}/bin`;
      await laptop.output("mkdir", bin);
      for (const program of ["ip", "cat", "nsenter"]) {
        await laptop.output(
          "sh",
          "-c",
          `ln -s $(command -v ${program}) ${bin}`,
        );
      }
      const { hint } = await refuse(["--mode", "sshuttle"], {
        code: "REDIRECT_UNSUPPORTED",
        exitCode: 3,
      }, { PATH: bin });
      assert.match(hint, /Install nftables or iptables/);
    });

    await t.step("no route that a redirect could begin with", async () => {
      await laptop.output("ip", "route", "del", "default");
      await laptop.output("ip", "-6", "route", "del", "default");
      const { message, hint } = await refuse(["--mode", "sshuttle"], {
        code: "PLUGIN_CANNOT_WORK",
        exitCode: 3,
        before: await laptop.snapshot(),
      });
      assert.match(message, /no route to the cluster's addresses/);
      assert.match(hint, /--mode tun2socks/);
      await laptop.addDefaultRoutes();
    });

    await t.step("/dev/net/tun", async () => {
      await laptop.output("mount", "-t", "tmpfs", "tmpfs", "/dev/net");
      const { hint } = await refuse([], {
        code: "TUN_UNSUPPORTED",
        exitCode: 3,
      });
      assert.match(hint, /--disableTunDevice .*--mode sshuttle/);
      await laptop.output("umount", "/dev/net");
    });

    await t.step("a /dev/net/tun that is none", async () => {
      await laptop.output("mount", "--bind", "/dev/null", "/dev/net/tun");
      const { message } = await refuse([], {
        code: "TUN_UNSUPPORTED",
        exitCode: 3,
      });
      assert.match(message, /something else/);
      await laptop.output("umount", "/dev/net/tun");
    });

    await t.step("a device that cannot be made, found late", async () => {
      const bin = `${laptop.folder}/no-batch`;
      await laptop.output("mkdir", bin);
      const wrapper =
        `printf '#!/bin/sh\\ncase "$*" in *batch*) exit 1; esac\\nexec %s "$@"\\n' "$(command -v ip)" > ${bin}/ip; chmod +x ${bin}/ip`;
      await laptop.output("sh", "-c", wrapper);
      const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
      const late = await laptop.ktctl(["connect"], env).ended();
      await assertRefused(lab, late, { code: "IP_FAILED", exitCode: 3 });
    });

    await t.step("one of two that are started at once", async () => {
      await using one = laptop.ktctl(["connect"]);
      await using other = laptop.ktctl(["connect"]);
      const ends = await Promise.all(
        [one, other].map((connect) =>
          connect.ready().catch(() => connect.ended())
        ),
      );
      const codes = ends.map((end) => "code" in end ? end.error?.["code"] : 0);
      assert.deepEqual(codes.sort(), [0, "ALREADY_CONNECTED"]);
    });

    await t.step(
      "a second one, which names the first; the proxy alone works beside it",
      async () => {
        await using first = await lab.connect();
        const during = await laptop.snapshot();
        const args = ["connect", "--mode", "sshuttle"];
        const { code, error, stdout } = await laptop.ktctl(args).ended();
        assert.equal(code, 7, stdout);
        assert.equal(error?.["code"], "ALREADY_CONNECTED");
        const named = new RegExp(`"${namespace.name}" .*process ${first.pid}$`);
        assert.match(error["message"], named);
        assert.match(error["hint"], /--disableTunDevice .*--proxyPort/);
        assert.equal(await laptop.snapshot(), during);
        const proxy = "127.0.0.1:2224";
        await using beside = await lab.connect(
          ...["--disableTunDevice", "--proxyPort", "2224"],
        );
        const byProxy = () =>
          lab.curl("http://web/", "-x", `socks5h://${proxy}`);
        assert.match(await byProxy(), /^demo pod=web-/);
        assert.match(await lab.curl("http://web/"), /^demo pod=web-/);
        assert.equal((await beside.stop()).code, 0);
        assert.match(await lab.curl("http://web/"), /^demo pod=web-/);
        assert.equal((await first.stop()).code, 0);
        assert.equal(await laptop.snapshot(), lab.before);
        assert.equal(await namespace.snapshot(), lab.namespaceBefore);
      },
    );

    await t.step(
      "the right to create pods, by the rule that is missing",
      async () => {
        const dir = laptop.folder;
        const kubeconfig = await makeAccount(cluster!, namespace, {
          name: "dev",
          dir,
        });
        for (
          const [name, verbs, resources] of [
            ["keys", "create", "configmaps,secrets"],
            ["look", "get,list,watch", "pods,services"],
          ] as const
        ) {
          const rule = [`--verb=${verbs}`, `--resource=${resources}`];
          succeeded(await namespace.kubectl(["create", "role", name, ...rule]));
          const to = [
            `--role=${name}`,
            `--serviceaccount=${namespace.name}:dev`,
          ];
          const binding = ["create", "rolebinding", name, ...to];
          succeeded(await namespace.kubectl(binding));
        }
        const namespaceBefore = await namespace.snapshot();
        const { hint } = await assertRefused(
          lab,
          await laptop.ktctl(["connect"], { KUBECONFIG: kubeconfig }).ended(),
          { code: "RBAC_FORBIDDEN", exitCode: 4, namespaceBefore },
        );
        assert.match(hint, /resources: \["pods"\], verbs: \["create"\]/);
      },
    );
  },
});
