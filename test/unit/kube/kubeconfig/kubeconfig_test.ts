import assert from "node:assert/strict";
import { UsageError } from "../../../../src/core/errors.ts";
import { inClusterTarget } from "../../../../src/kube/kubeconfig/in_cluster.ts";
import { loadKubeTarget } from "../../../../src/kube/kubeconfig/kubeconfig.ts";
import { TempFolder } from "../temp_folder.ts";

const SEPARATOR = Deno.build.os === "windows" ? ";" : ":";

interface Parts {
  readonly server?: string;
  readonly current?: string;
  readonly context?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly cluster?: Record<string, unknown>;
}

/** A kubeconfig with one of each, all called `name`. */
function config(name: string, parts: Parts = {}): Record<string, unknown> {
  const { server = `https://${name}:6443`, context, user, cluster } = parts;
  return {
    "current-context": parts.current ?? name,
    clusters: [{ name, cluster: { server, ...cluster } }],
    users: [{ name, user: user ?? { token: `${name}-token` } }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
  };
}

function rejects(promise: Promise<unknown>, code: string, message: RegExp) {
  return assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UsageError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("loadKubeTarget() prefers --kubeconfig to KUBECONFIG to the home folder", async () => {
  await using folder = await TempFolder.make();
  const flag = await folder.write("flag", config("flag"));
  const env = {
    KUBECONFIG: await folder.write("env", config("env")),
    HOME: folder.path,
  };
  await Deno.mkdir(`${folder.path}/.kube`);
  await folder.write(".kube/config", config("home"));
  const context = async (options: Parameters<typeof loadKubeTarget>[0]) =>
    (await loadKubeTarget(options)).context;
  assert.equal(await context({ kubeconfig: flag, env }), "flag");
  assert.equal(await context({ env }), "env");
  assert.equal(await context({ env: { HOME: folder.path } }), "home");
});

Deno.test("loadKubeTarget() lets the first file win, and skips missing ones", async () => {
  await using folder = await TempFolder.make();
  const first = await folder.write("first", {
    ...config("a", { server: "https://first" }),
    "current-context": "",
  });
  const second = await folder.write("second", {
    ...config("a", { server: "https://second", current: "b" }),
    contexts: [
      { name: "a", context: { cluster: "a", user: "a", namespace: "second" } },
      { name: "b", context: { cluster: "a", user: "a" } },
    ],
  });
  const third = await folder.write("third", config("c"));
  const KUBECONFIG = [first, `${folder.path}/none`, second, third].join(
    SEPARATOR,
  );
  const current = await loadKubeTarget({ env: { KUBECONFIG } });
  assert.equal(current.context, "b");
  assert.equal(current.cluster.server, "https://first");
  const named = await loadKubeTarget({ env: { KUBECONFIG }, context: "a" });
  assert.equal(named.namespace, "default");
});

Deno.test("loadKubeTarget() resolves paths against the file that names them", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write(
    "config",
    config("a", {
      cluster: { "certificate-authority": "pki/ca.crt" },
      user: {
        "client-certificate": "me.crt",
        "client-key": "/abs/me.key",
        tokenFile: "token",
        exec: {
          command: "./bin/login",
          apiVersion: "client.authentication.k8s.io/v1",
        },
      },
    }),
  );
  const { cluster, user } = await loadKubeTarget({ kubeconfig, env: {} });
  assert.equal(cluster.caFile, `${folder.path}/pki/ca.crt`);
  assert.equal(user.certFile, `${folder.path}/me.crt`);
  assert.equal(user.keyFile, "/abs/me.key");
  assert.equal(user.tokenFile, `${folder.path}/token`);
  assert.equal(user.exec?.command, `${folder.path}/bin/login`);
});

Deno.test("loadKubeTarget() takes empty text for nothing, as kubectl does", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write(
    "config",
    config("a", {
      cluster: {
        "certificate-authority-data": "",
        "certificate-authority": "/pki/ca.crt",
        "proxy-url": "",
        "tls-server-name": "",
      },
      user: {
        "client-certificate-data": "",
        "client-certificate": "/pki/me.crt",
        "client-key-data": "",
        "client-key": "/pki/me.key",
        token: "",
        username: "",
        password: "",
      },
    }),
  );
  const { cluster, user } = await loadKubeTarget({ kubeconfig, env: {} });
  assert.deepEqual(cluster, {
    name: "a",
    server: "https://a:6443",
    caFile: "/pki/ca.crt",
    skipTlsVerify: false,
  });
  assert.deepEqual(user, {
    name: "a",
    certFile: "/pki/me.crt",
    keyFile: "/pki/me.key",
    impersonation: {},
  });
});

Deno.test("loadKubeTarget() looks a plugin without a slash up in PATH", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write(
    "config",
    config("a", { user: { exec: { command: "cloud-login" } } }),
  );
  const { user } = await loadKubeTarget({ kubeconfig, env: {} });
  assert.equal(user.exec?.command, "cloud-login");
});

Deno.test("loadKubeTarget() takes the namespace of the flag, the context, then default", async () => {
  await using folder = await TempFolder.make();
  const own = await folder.write(
    "own",
    config("a", { context: { namespace: "shop" } }),
  );
  const none = await folder.write("none", config("a"));
  const namespace = async (kubeconfig: string, flag?: string) =>
    (await loadKubeTarget({ kubeconfig, namespace: flag, env: {} })).namespace;
  assert.equal(await namespace(own, "flag"), "flag");
  assert.equal(await namespace(own), "shop");
  assert.equal(await namespace(none), "default");
});

Deno.test("loadKubeTarget() keeps every way to impersonate", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write(
    "config",
    config("a", {
      user: {
        as: "jane",
        "as-groups": ["devs", "ops"],
        "as-user-extra": { "acme/team": ["x"] },
      },
    }),
  );
  const { user } = await loadKubeTarget({ kubeconfig, env: {} });
  assert.deepEqual(user.impersonation, {
    "Impersonate-User": "jane",
    "Impersonate-Group": ["devs", "ops"],
    "Impersonate-Extra-acme%2Fteam": ["x"],
  });
});

Deno.test("an unknown context comes with a guess and the list of contexts", async () => {
  await using folder = await TempFolder.make();
  const kubeconfig = await folder.write("config", {
    ...config("staging"),
    contexts: ["staging", "production"].map((name) => ({
      name,
      context: { cluster: "staging" },
    })),
  });
  const error = await loadKubeTarget({
    kubeconfig,
    context: "stagign",
    env: {},
  })
    .catch((error) => error);
  assert(error instanceof UsageError);
  assert.equal(error.code, "CONTEXT_UNKNOWN");
  assert.equal(error.hint, 'Did you mean "staging"?');
  assert.deepEqual(error.details, ["Contexts: staging, production"]);
});

Deno.test("a kubeconfig that is not there is a usage error naming it", async () => {
  await using folder = await TempFolder.make();
  const file = `${folder.path}/none`;
  const code = "KUBECONFIG_NOT_FOUND";
  const env = { HOME: folder.path };
  await rejects(loadKubeTarget({ kubeconfig: file, env }), code, /"[^"]*none"/);
  await rejects(loadKubeTarget({ env: { KUBECONFIG: file } }), code, /none"/);
  await rejects(loadKubeTarget({ env }), code, /\.kube.config"/);
  await rejects(loadKubeTarget({ env: {} }), code, /neither KUBECONFIG nor/);
});

Deno.test("a kubeconfig that cannot be used is a usage error naming file and fault", async () => {
  await using folder = await TempFolder.make();
  const load = async (content: unknown) => {
    const kubeconfig = await folder.write("broken", content);
    return await loadKubeTarget({ kubeconfig, env: {} });
  };
  const code = "KUBECONFIG_INVALID";
  await rejects(load("clusters: [a: b: c"), code, /broken": .*line 1/);
  await rejects(load("just a text"), code, /broken": it does not hold/);
  await rejects(load({ users: {} }), code, /"users" is not a list/);
  await rejects(load({ ...config("a"), clusters: [] }), code, /no cluster "a"/);
  await rejects(load({ ...config("a"), users: [] }), code, /no user "a"/);
  await rejects(
    load({ ...config("a"), clusters: [{ name: "a", cluster: {} }] }),
    code,
    /"a" has no server/,
  );
  await rejects(
    load({ ...config("a"), "current-context": "" }),
    "CONTEXT_MISSING",
    /sets no current-context/,
  );
  await rejects(
    load(" ".repeat(16 * 1024 * 1024 + 1)),
    code,
    /broken": it is longer than 16777216 bytes/,
  );
});

Deno.test("inside a pod the service account is used", async () => {
  await using folder = await TempFolder.make();
  const env = {
    KUBERNETES_SERVICE_HOST: "fd00::1",
    KUBERNETES_SERVICE_PORT: "443",
  };
  assert.equal(await inClusterTarget({ env }, folder.path), undefined);
  await folder.write("token", "secret");
  await folder.write("namespace", "shop\n");
  const target = await inClusterTarget({ env }, folder.path);
  assert.equal(target?.cluster.server, "https://[fd00::1]:443");
  assert.equal(target?.namespace, "shop");
  assert.equal(target?.user.tokenFile, `${folder.path}/token`);
  assert.equal(await inClusterTarget({ env: {} }, folder.path), undefined);
});
