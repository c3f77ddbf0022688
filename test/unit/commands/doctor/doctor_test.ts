// ktctl doctor without a cluster: the laptop's part is still told.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseTarGzip } from "nanotar";
import { appendHostsBlock } from "../../../../src/helper/operations/hosts_block.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

const main = fileURLToPath(new URL("../../cli/ktctl_here.ts", import.meta.url));

interface Line {
  readonly event: string;
  readonly about: string;
  readonly name: string;
  readonly state: string;
  readonly message: string;
  readonly code?: string;
}

/** @param root The root of a machine that helpers change. */
async function doctor(
  args: readonly string[],
  { env = {}, root = "/nonexistent" }: {
    env?: Record<string, string>;
    root?: string;
  } = {},
) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", main, root, "doctor"],
      ...[...args, "--output", "json"],
    ],
    env: {
      KUBECONFIG: "/nonexistent/kubeconfig",
      XDG_DATA_HOME: "/nonexistent",
      ...env,
    },
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const lines: Line[] = text.trim().split("\n").map((line) => JSON.parse(line));
  const checks = lines.filter(({ event }) => event === "check");
  return { code, lines, checks };
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "jane" } }],
    users: [{ name: "jane", user: { token: "t0p-secret" } }],
  });
}

Deno.test("without a kubeconfig the laptop's part is told, and what the cluster's lacks, with exit code 10", async () => {
  const { code, lines, checks } = await doctor([]);
  assert.equal(code, 10);
  assert.deepEqual(
    checks.filter(({ about }) => about === "laptop").map(({ name }) => name)
      .filter((name, at, all) => all.indexOf(name) === at),
    [
      ...["system", "root", "tun", "firewall", "resolver", "vpn", "proxy"],
      ...["machine-leftovers", "sessions"],
    ],
  );
  const ofCluster = checks.filter(({ about }) => about === "cluster");
  assert.deepEqual(ofCluster.map(({ name, state }) => [name, state]), [
    ["reach", "bad"],
  ]);
  assert.match(ofCluster[0]!.message, /\/nonexistent\/kubeconfig/);
  const error = lines.find(({ event }) => event === "error");
  assert.equal(error?.code, "DOCTOR_FOUND_BAD");
});

Deno.test("a server that takes a connection and never answers is given up, and the bundle tells of it without the names", async () => {
  await using folder = await TempFolder.make();
  const silent = createServer();
  await once(silent.listen(0, "127.0.0.1"), "listening");
  try {
    const { port } = silent.address() as AddressInfo;
    const path = join(folder.path, "config");
    await Deno.writeTextFile(path, kubeconfig(`http://127.0.0.1:${port}`));
    const bundle = join(folder.path, "bug.tar.gz");
    const args = ["--kubeconfig", path, "--bundle", bundle];
    const { code, checks } = await doctor(args);
    assert.equal(code, 10);
    const found = checks.find(({ name }) => name === "reach");
    assert.match(found?.message ?? "", /did not answer within 10 s/);
    const files = await parseTarGzip(await Deno.readFile(bundle));
    assert.deepEqual(files.map(({ name }) => name), [
      "ktctl-doctor/README.txt",
      "ktctl-doctor/report.txt",
      "ktctl-doctor/report.json",
      "ktctl-doctor/environment.json",
    ]);
    for (const { text } of files) {
      assert.doesNotMatch(text, /t0p-secret/);
      assert.ok(!text.includes(Deno.hostname()) || Deno.hostname().length < 3);
    }
    assert.match(files[1]!.text, /cluster bad/);
    if (Deno.build.os !== "windows") {
      assert.equal((await Deno.stat(bundle)).mode! & 0o777, 0o600);
    }
    const again = await doctor(args);
    assert.equal(again.code, 2, "what is there is not written over");
    assert.equal(again.checks.length, 0);
  } finally {
    silent.close();
  }
});

Deno.test("proxies are told without their passwords, and variables that say different things are a warning", async () => {
  const { checks } = await doctor([], {
    env: {
      HTTPS_PROXY: "http://me:hunter2@proxy.example:3128",
      https_proxy: "http://other.example:3128",
    },
  });
  const found = checks.find(({ name }) => name === "proxy");
  assert.equal(found?.state, "warning");
  assert.doesNotMatch(JSON.stringify(checks), /hunter2/);
});

for (
  const proxy of [
    "jane:S3cr!t-pw@proxy:3128",
    "http://jane:pa/ss#S3cr!t-pw@proxy:3128",
    "http://jane:p@ssw0rd!S3cr!t-pw@proxy:3128",
  ]
) {
  Deno.test(`${proxy}: told without its password, there and where it cannot be used`, async () => {
    await using folder = await TempFolder.make();
    const path = await folder.write("config", kubeconfig("https://10.0.0.1:1"));
    const bundle = join(folder.path, "bug.tar.gz");
    const { checks } = await doctor(
      ["--kubeconfig", path, "--bundle", bundle],
      { env: { HTTPS_PROXY: proxy.replace("http:", "ftp:") } },
    );
    const found = checks.find(({ name }) => name === "proxy");
    assert.match(found?.message ?? "", /HTTPS_PROXY=(ftp:\/\/)?…@proxy:3128/);
    assert.doesNotMatch(JSON.stringify(checks), /jane:|S3cr/);
    for (const { text } of await parseTarGzip(await Deno.readFile(bundle))) {
      assert.doesNotMatch(text, /jane:|S3cr/);
    }
  });
}

Deno.test("where no cluster is reached, the bundle has none of the names in the kubeconfigs, torn ones among them, nor those that were asked for", async () => {
  await using folder = await TempFolder.make();
  const good = await folder.write(
    "acme-good.yaml",
    JSON.stringify({
      contexts: [
        {
          name: "acme-prod-billing",
          context: { cluster: "acme-eks", user: "jdoe", namespace: "payroll" },
        },
        { name: "acme-staging", context: {} },
      ],
      clusters: [{ name: "acme-eks", cluster: { server: "https://k.acme" } }],
      users: [{ name: "jdoe", user: {} }],
    }),
  );
  const torn = await folder.write(
    "torn.yaml",
    "contexts:\n- name: acme-torn\nclusters: [a: b: c",
  );
  for (
    const [kubeconfig, code] of [[good, "CONTEXT_UNKNOWN"], [
      `${good}:${torn}`,
      "KUBECONFIG_INVALID",
    ]] as const
  ) {
    const bundle = join(folder.path, `${code}.tar.gz`);
    const args = ["--context", "acme-prdo", "-n", "payroll-eu"];
    await doctor([...args, "--bundle", bundle], {
      env: {
        KUBECONFIG: kubeconfig,
        NO_PROXY: `.acmecorp,x acme-eks,jdoe,acme-staging${
          kubeconfig === good ? "" : " acme-torn"
        }`,
      },
    });
    const files = await parseTarGzip(await Deno.readFile(bundle));
    assert.match(files[2]!.text, new RegExp(code));
    for (const { text } of files) {
      assert.doesNotMatch(text, /acme|jdoe|payroll/);
    }
  }
});

Deno.test({
  name: "lines of ktctl in a hosts file are told as left over",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TempFolder.make();
    await Deno.mkdir(join(folder.path, "etc"));
    await Deno.writeTextFile(
      join(folder.path, "etc/hosts"),
      appendHostsBlock("127.0.0.1 localhost\n", {
        id: "dead",
        entries: [{ address: "10.96.0.10", names: ["web"] }],
      }),
    );
    const { checks } = await doctor([], { root: folder.path });
    const found = checks.find(({ name }) => name === "machine-leftovers");
    assert.equal(found?.state, "warning");
    assert.match(found?.message ?? "", /etc\/hosts/);
  },
});
