import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { makeCredentials } from "../../../../src/kube/credentials/make_credentials.ts";
import type {
  ExecPlugin,
  KubeCluster,
} from "../../../../src/kube/kubeconfig/kube_target.ts";
import {
  clientOf,
  FakeApiServer,
  json,
  refusal,
  targetOf,
} from "../fake_api_server.ts";
import { TempFolder } from "../temp_folder.ts";
import { makePki } from "../test_pki.ts";

const API_VERSION = "client.authentication.k8s.io/v1beta1";

/** A plugin that writes its environment to `info`, and a line to `runs` each time it runs. */
async function plugin(
  folder: TempFolder,
  { expires = "", last = "" }: { expires?: string; last?: string } = {},
): Promise<ExecPlugin> {
  const status = `"token":"token-$n"${
    expires === "" ? "" : `,"expirationTimestamp":"${expires}"`
  }`;
  const script = await folder.write(
    "login.sh",
    `#!/bin/sh
printf %s "$KUBERNETES_EXEC_INFO" > "${folder.path}/info"
echo run >> "${folder.path}/runs"
n=$(wc -l < "${folder.path}/runs" | tr -d ' ')
echo "Sign in at https://login.example" >&2
cat > /dev/null
${last}
echo '{"kind":"ExecCredential","status":{'${shell(status)}'}}'
`,
    0o700,
  );
  return { command: script, apiVersion: API_VERSION };
}

/** Double-quotes JSON for the shell, so that $n is expanded. */
function shell(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

async function runs(folder: TempFolder): Promise<number> {
  const text = await readFile(`${folder.path}/runs`, "utf8");
  return text.split("\n").length - 1;
}

function credentialsOf(
  exec: ExecPlugin,
  options: {
    cluster?: Partial<KubeCluster>;
    onPluginOutput?: (text: string) => void;
  } = {},
) {
  const target = targetOf("https://kube:6443", {
    user: { exec },
    ...(options.cluster && { cluster: options.cluster }),
  });
  return makeCredentials(target, options);
}

Deno.test("a credential plugin is told the API version and whether it may ask", async () => {
  await using folder = await TempFolder.make();
  const exec = await plugin(folder);
  const { headers } = await credentialsOf(exec).authorize();
  assert.equal(headers.Authorization, "Bearer token-1");
  const info = JSON.parse(await readFile(`${folder.path}/info`, "utf8"));
  assert.deepEqual(info, {
    apiVersion: API_VERSION,
    kind: "ExecCredential",
    spec: { interactive: Deno.stdin.isTerminal() },
  });
});

Deno.test("provideClusterInfo tells the plugin which cluster it signs in to", async () => {
  await using folder = await TempFolder.make();
  const exec = { ...await plugin(folder), provideClusterInfo: true };
  const cluster = {
    caData: btoa("CA"),
    tlsServerName: "kube",
    execConfig: { audience: "acme" },
  };
  await credentialsOf({ ...exec, interactiveMode: "Never" }, { cluster })
    .authorize();
  const info = JSON.parse(await readFile(`${folder.path}/info`, "utf8"));
  assert.deepEqual(info.spec, {
    interactive: false,
    cluster: {
      server: "https://kube:6443",
      "tls-server-name": "kube",
      "certificate-authority-data": btoa("CA"),
      config: { audience: "acme" },
    },
  });
});

Deno.test("what the plugin says on standard error reaches the user", async () => {
  await using folder = await TempFolder.make();
  let output = "";
  const exec = await plugin(folder);
  await credentialsOf(exec, { onPluginOutput: (text) => output += text })
    .authorize();
  assert.match(output, /Sign in at/);
});

Deno.test("one run of the plugin serves all callers until it expires", async () => {
  await using folder = await TempFolder.make();
  const lasting = credentialsOf(await plugin(folder));
  await Promise.all([lasting.authorize(), lasting.authorize()]);
  await lasting.authorize();
  assert.equal(await runs(folder), 1);
  await using other = await TempFolder.make();
  const expired = credentialsOf(
    await plugin(other, { expires: "2020-01-01T00:00:00Z" }),
  );
  await expired.authorize();
  await expired.authorize();
  assert.equal(await runs(other), 2);
});

Deno.test("a 401 runs the plugin again, once", async () => {
  await using folder = await TempFolder.make();
  const refused = refusal(401, { message: "Unauthorized" });
  await using pki = await makePki();
  await using server = await FakeApiServer.start([refused, json({}), refused], {
    tls: pki.server,
  });
  await using api = clientOf(server.url, {
    cluster: { caData: btoa(pki.ca.cert) },
    user: { exec: await plugin(folder) },
  });
  await api.raw("/x");
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [
      "Bearer token-1",
      "Bearer token-2",
    ],
  );
  await assert.rejects(api.raw("/x"), { code: "UNAUTHORISED" });
  assert.equal(await runs(folder), 3);
});

Deno.test("a plugin that is not installed comes with its install hint", async () => {
  const exec = {
    command: "no-such-login",
    installHint: "Install it from acme.io.\n",
  };
  await assert.rejects(credentialsOf(exec).authorize(), {
    code: "CREDENTIAL_PLUGIN_FAILED",
    message: /"no-such-login": it is not installed/,
    hint: "Install it from acme.io.",
  });
});

Deno.test("a plugin that fails is quoted", async () => {
  await using folder = await TempFolder.make();
  const exec = await plugin(folder, {
    last: "echo 'Session expired.' >&2; exit 1",
  });
  await assert.rejects(credentialsOf(exec).authorize(), {
    code: "CREDENTIAL_PLUGIN_FAILED",
    message: /: Session expired$/,
  });
});

Deno.test("a plugin that answers nonsense is told apart from one that fails", async () => {
  await using folder = await TempFolder.make();
  const exec = await plugin(folder, { last: "echo hello; exit 0" });
  await assert.rejects(credentialsOf(exec).authorize(), {
    message: /its answer is not an ExecCredential/,
  });
});

const FAULTS: readonly [answer: string, told: RegExp][] = [
  ["null", /not an ExecCredential/],
  ["[]", /not an ExecCredential/],
  ['"token"', /not an ExecCredential/],
  ['{"kind":"Status"}', /not an ExecCredential/],
  ["<html>Sign in</html>", /not an ExecCredential/],
  ["", /not an ExecCredential/],
  ['{"kind":"ExecCredential"}', /has no "status"/],
  ['{"kind":"ExecCredential","status":null}', /has no "status"/],
  ['{"kind":"ExecCredential","status":{}}', /neither a token nor/],
  ['{"kind":"ExecCredential","status":{"token":""}}', /neither a token nor/],
  [
    '{"kind":"ExecCredential","status":{"token":7}}',
    /"status.token" of its answer is of the wrong type/,
  ],
  [
    '{"kind":"ExecCredential","status":{"token":"a\\nb"}}',
    /"status.token" of its answer has line breaks/,
  ],
  [
    '{"kind":"ExecCredential","status":{"clientCertificateData":"x"}}',
    /"status.clientCertificateData" of its answer is no PEM/,
  ],
  [
    '{"kind":"ExecCredential","status":{"clientCertificateData":"-----BEGIN "}}',
    /a certificate without its key/,
  ],
  [
    '{"kind":"ExecCredential","status":{"token":"a","expirationTimestamp":"soon"}}',
    /"status.expirationTimestamp" of its answer is no date/,
  ],
  [
    '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"a"}}',
    /wants "client.authentication.k8s.io\/v1beta1"/,
  ],
];

for (const [answer, told] of FAULTS) {
  Deno.test(`nobody goes on as anonymous after a plugin that answers ${answer}`, async () => {
    await using folder = await TempFolder.make();
    await folder.write("answer", answer);
    const exec = {
      command: "cat",
      args: [`${folder.path}/answer`],
      apiVersion: API_VERSION,
    };
    await assert.rejects(credentialsOf(exec).authorize(), {
      code: "CREDENTIAL_PLUGIN_FAILED",
      exitCode: 4,
      message: told,
    });
  });
}

Deno.test("a plugin that never stops answering is ended", async () => {
  const exec = { command: "yes", apiVersion: API_VERSION };
  await assert.rejects(credentialsOf(exec).authorize(), {
    code: "CREDENTIAL_PLUGIN_FAILED",
    message: /longer than/,
  });
});
