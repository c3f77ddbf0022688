// What a kubeconfig says of the user and of the cluster changes while commands run.
import assert from "node:assert/strict";
import { makePki } from "../unit/kube/test_pki.ts";
import { TempFolder } from "../unit/kube/temp_folder.ts";
import { freePorts } from "../unit/link/agent/agent_process.ts";
import { openTestCluster, succeeded } from "./cluster.ts";
import { grant } from "./grant.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { ShortLivedTokens } from "./short_lived_tokens.ts";
import { TlsFront } from "./tls_front.ts";

const ours = !Deno.env.get("KTCTL_TEST_KUBECONFIG");
/** The API server takes a token for 10 s once it has looked at it. */
const LIFE_SECONDS = 6;
const AWAY_MS = 17_000;
const MOST_MS = 5_000;

Deno.test({
  name:
    "exchange and connect come back within 5 s of the API server with a token that was renewed, and with a certificate authority that was rotated, meanwhile",
  ignore: !ours, // the key that signs tokens is the cluster's
  async fn(t) {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using folder = await TempFolder.make();
    await using pki = await makePki();
    await using nextPki = await makePki();
    succeeded(
      await namespace.kubectl(["create", "serviceaccount", "dev"]),
    );
    for (const role of ["exchange", "connect"]) {
      await grant(namespace, { account: "dev", role });
    }
    using tokens = await ShortLivedTokens.write(folder.path, {
      cluster,
      namespace,
      account: "dev",
      lifeSeconds: LIFE_SECONDS,
    });
    using front = await TlsFront.open(cluster, pki.server);
    const write = (name: string, cluster: unknown, user: unknown) =>
      folder.write(name, {
        "current-context": "dev",
        contexts: [{ name: "dev", context: { cluster: "c", user: "dev" } }],
        clusters: [{ name: "c", cluster }],
        users: [{ name: "dev", user }],
      });
    /** One has all in itself, the other names files. */
    const writeKubeconfigs = async (authority: string) => ({
      inline: await write("inline", {
        server: front.server,
        "certificate-authority-data": btoa(authority),
      }, {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command: tokens.plugin,
          interactiveMode: "Never",
        },
      }),
      files: await write("files", {
        server: front.server,
        "certificate-authority": await folder.write("ca.crt", authority),
      }, { tokenFile: tokens.tokenFile }),
    });
    const kubeconfigs = await writeKubeconfigs(pki.ca.cert);
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`],
      { kubeconfig: kubeconfigs.inline },
    );
    const [proxyPort] = await freePorts(1);
    await using connect = other.start(
      ["connect", "--disableTunDevice", "--proxyPort", `${proxyPort}`],
      { kubeconfig: kubeconfigs.files },
    );
    await exchange.ready();
    await connect.ready();
    await reaches(client);

    const returns = async (what: string, meanwhile: () => Promise<void>) => {
      const ups = [exchange, connect].map((one) => one.linkUp());
      front.close();
      await meanwhile();
      const backAt = Date.now();
      for (const [i, { time }] of (await Promise.all(ups)).entries()) {
        const verb = ["exchange", "connect"][i];
        const ms = Date.parse(time) - backAt;
        console.log(`${what}: ${verb} back ${ms} ms after the API server`);
        assert.ok(ms < MOST_MS, `${what}: ${verb} after ${ms} ms`);
      }
      await reaches(client, { withinMs: 1_000 });
    };
    await t.step("tokens expired, and were renewed", async () => {
      const old = await Deno.readTextFile(tokens.tokenFile);
      await returns("tokens", async () => {
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        front.reopen(pki.server);
      });
      const refused = await cluster.kubectl(
        ["get", "namespaces", "--token", old, "--kubeconfig", "/dev/null"]
          .concat("--server", await apiServer(), "--insecure-skip-tls-verify"),
      );
      assert.match(refused.stderr, /Unauthorized|logged in/);
    });
    await t.step("the certificate's authority was rotated", async () => {
      await returns("authority", async () => {
        await writeKubeconfigs(nextPki.ca.cert);
        front.reopen(nextPki.server);
      });
    });

    for (const session of [connect, exchange]) {
      const { code, stdout, stderr } = await session.stop();
      assert.equal(code, 0, stdout + stderr);
    }
    await assertNoTrace({ namespace, laptop, before });

    async function apiServer(): Promise<string> {
      const path = "jsonpath={.clusters[0].cluster.server}";
      const view = ["config", "view", "--minify", "-o", path];
      return succeeded(await cluster.kubectl(view));
    }
  },
});
