import assert from "node:assert/strict";
import { loadKubeTarget } from "../../../../src/kube/kubeconfig/kubeconfig.ts";
import { TempFolder } from "../temp_folder.ts";

type Fields = Record<string, unknown>;

function config(parts: { cluster?: Fields; user?: Fields; context?: Fields }) {
  return {
    "current-context": "a",
    clusters: [{
      name: "a",
      cluster: { server: "https://a", ...parts.cluster },
    }],
    users: [{ name: "a", user: parts.user ?? {} }],
    contexts: [{
      name: "a",
      context: { cluster: "a", user: "a", ...parts.context },
    }],
  };
}

const twice = (list: "clusters" | "users" | "contexts") => {
  const whole = config({});
  return { ...whole, [list]: [...whole[list], ...whole[list]] };
};

const FAULTS: readonly [what: unknown, told: RegExp][] = [
  ["[]", /it does not hold a kubeconfig/],
  ["7", /it does not hold a kubeconfig/],
  [
    { ...config({}), "current-context": 7 },
    /"current-context" has to be a string, but is a number/,
  ],
  [{ ...config({}), users: { a: {} } }, /"users" is not a list/],
  [{ ...config({}), users: [{ name: 7 }] }, /"users" is not a list of named/],
  [{ ...config({}), users: [null] }, /"users" is not a list of named/],
  [
    { ...config({}), users: [{ name: "a", user: [] }] },
    /user "a": it has to be a map, but is a list/,
  ],
  [
    { ...config({}), contexts: [{ name: "a", context: "a" }] },
    /context "a": it has to be a map/,
  ],
  [twice("clusters"), /there are two entries for cluster "a"/],
  [twice("users"), /there are two entries for user "a"/],
  [twice("contexts"), /there are two entries for context "a"/],
  [
    config({ cluster: { server: 6443 } }),
    /cluster "a": "server" has to be a string, but is a number/,
  ],
  [
    config({ cluster: { server: "10.0.0.1:6443" } }),
    /cluster "a": "server" has to be a URL/,
  ],
  [
    config({ cluster: { server: "https://[::1" } }),
    /cluster "a": "server" has to be a URL/,
  ],
  [
    config({ cluster: { "certificate-authority": ["x"] } }),
    /cluster "a": "certificate-authority" has to be a string, but is a list/,
  ],
  [
    config({ cluster: { "certificate-authority-data": 7 } }),
    /"certificate-authority-data"/,
  ],
  [
    config({ cluster: { "tls-server-name": {} } }),
    /"tls-server-name" .* but is a map/,
  ],
  [
    config({ cluster: { "insecure-skip-tls-verify": "true" } }),
    /"insecure-skip-tls-verify" has to be a boolean, but is a string/,
  ],
  [config({ cluster: { "proxy-url": 3128 } }), /"proxy-url"/],
  [
    config({ cluster: { "proxy-url": "http://[" } }),
    /"proxy-url" has to be a URL/,
  ],
  [config({ cluster: { extensions: {} } }), /"extensions" has to be a list/],
  [
    config({ user: { token: 12345 } }),
    /user "a": "token" has to be a string, but is a number: put it in quotes/,
  ],
  [config({ user: { token: true } }), /"token" .* but is a boolean/],
  [
    config({ user: { token: "a\nb" } }),
    /"token" has to be without line breaks/,
  ],
  [config({ user: { tokenFile: 1 } }), /"tokenFile"/],
  [config({ user: { username: 1 } }), /"username"/],
  [config({ user: { username: "a", password: 1 } }), /"password"/],
  [config({ user: { "client-certificate": 1 } }), /"client-certificate"/],
  [config({ user: { "client-key-data": {} } }), /"client-key-data"/],
  [config({ user: { as: 7 } }), /"as" has to be a string/],
  [
    config({ user: { "as-groups": "dev" } }),
    /"as-groups" has to be a list, but is a string/,
  ],
  [config({ user: { "as-groups": [7] } }), /"as-groups.0" has to be a string/],
  [
    config({ user: { "as-user-extra": { a: "b" } } }),
    /"as-user-extra.a" has to be a list/,
  ],
  [config({ user: { exec: "login" } }), /"exec" has to be a map/],
  [
    config({ user: { exec: {} } }),
    /"exec.command" is missing/,
  ],
  [
    config({ user: { exec: { command: ["login"] } } }),
    /"exec.command" has to be a string, but is a list/,
  ],
  [
    config({ user: { exec: { command: "" } } }),
    /"exec.command" has to name a program/,
  ],
  [
    config({ user: { exec: { command: "x", args: "y" } } }),
    /"exec.args" has to be a list/,
  ],
  [
    config({ user: { exec: { command: "x", args: [1] } } }),
    /"exec.args.0" has to be a string/,
  ],
  [
    config({ user: { exec: { command: "x", env: { A: "b" } } } }),
    /"exec.env" has to be a list, but is a map/,
  ],
  [
    config({
      user: { exec: { command: "x", env: [{ name: "A", value: 1 }] } },
    }),
    /"exec.env.0.value" has to be a string/,
  ],
  [
    config({ user: { exec: { command: "x", interactiveMode: "Sometimes" } } }),
    /"exec.interactiveMode" has to be Never/,
  ],
  [
    config({ user: { "auth-provider": "oidc" } }),
    /"auth-provider" has to be a map/,
  ],
  [
    config({ user: { "auth-provider": { name: "oidc", config: { a: 1 } } } }),
    /"auth-provider.config.a" has to be a string/,
  ],
  [
    config({ context: { namespace: 7 } }),
    /context "a": "namespace" has to be a string/,
  ],
  [
    config({ context: { cluster: ["a"] } }),
    /context "a": "cluster" has to be a string, but is a list/,
  ],
];

for (const [content, told] of FAULTS) {
  Deno.test(`a kubeconfig is refused with file, entry and field: ${told.source}`, async () => {
    await using folder = await TempFolder.make();
    const kubeconfig = await folder.write("odd", content);
    await assert.rejects(
      loadKubeTarget({ kubeconfig, env: {} }),
      (error: Error & { code: string; exitCode: number }) => {
        assert.equal(error.code, "KUBECONFIG_INVALID");
        assert.equal(error.exitCode, 2);
        assert.ok(error.message.includes(kubeconfig));
        assert.match(error.message, told);
        return true;
      },
    );
  });
}

Deno.test("null is as absent, unknown fields are passed over, anchors and quoted numbers are texts", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write(
    "plain",
    `
current-context: "1"
preferences: null
clusters:
- name: &name "1"
  cluster: { server: https://a, proxy-url: null, certificate-authority: null, later: [1] }
users:
- name: *name
  user: { token: "12345", exec: null, as-groups: null }
contexts:
- name: *name
  context: { cluster: *name, user: *name, namespace: null }
`,
  );
  const target = await loadKubeTarget({ kubeconfig, env: {} });
  assert.equal(target.namespace, "default");
  assert.equal(target.user.token, "12345");
});
