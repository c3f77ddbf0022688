/** TLS, proxies and credentials as a kubeconfig sets them. */
import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { connectKube } from "../../../src/kube/connect_kube.ts";
import { proxyFor } from "../../../src/kube/http/proxy.ts";
import {
  type Answer,
  clientOf,
  type ClientOptions,
  FakeApiServer,
  refusal,
} from "./fake_api_server.ts";
import { TempFolder } from "./temp_folder.ts";
import { type KeyPair, makePki, type TestPki } from "./test_pki.ts";

/** Says who the client's certificate is for. */
const whoAmI: Answer = (_request, response) => {
  const peer = (response.socket as TLSSocket).getPeerCertificate?.();
  response.end(JSON.stringify({ cn: peer?.subject?.CN ?? null }));
};

async function ask(url: string, options: ClientOptions): Promise<unknown> {
  await using api = clientOf(url, options);
  return await api.raw("/x");
}

function authority(pki: TestPki): { caData: string } {
  return { caData: btoa(pki.ca.cert) };
}

Deno.test("TLS follows the kubeconfig", async (test) => {
  await using pki = await makePki();
  await using server = await FakeApiServer.start([whoAmI], {
    tls: {
      ...pki.server,
      ca: pki.ca.cert,
      requestCert: true,
      rejectUnauthorized: false,
    },
  });
  await using named = await FakeApiServer.start([whoAmI], {
    tls: pki.namedServer,
  });

  await test.step("a client certificate is shown, from data and from files", async () => {
    const data = {
      certData: btoa(pki.client.cert),
      keyData: btoa(pki.client.key),
    };
    assert.deepEqual(
      await ask(server.url, { cluster: authority(pki), user: data }),
      { cn: "client" },
    );
    const folder = pki.folder.path;
    const files = {
      certFile: `${folder}/client.crt`,
      keyFile: `${folder}/client.key`,
    };
    const cluster = { caFile: `${folder}/ca.crt` };
    assert.deepEqual(await ask(server.url, { cluster, user: files }), {
      cn: "client",
    });
  });

  await test.step("an authority that did not sign the server is not trusted", async () => {
    const strange = { caData: btoa(pki.stranger.cert) };
    await assert.rejects(ask(server.url, { cluster: strange }), {
      code: "CLUSTER_UNREACHABLE",
      message: /its certificate is not trusted/,
      hint: /certificate-authority/,
    });
    await assert.rejects(ask(server.url, {}), { message: /not trusted/ });
  });

  await test.step("insecure-skip-tls-verify trusts any certificate", async () => {
    assert.deepEqual(
      await ask(server.url, { cluster: { skipTlsVerify: true } }),
      { cn: null },
    );
  });

  await test.step("tls-server-name is the name that is asked for and checked", async () => {
    const cluster = authority(pki);
    await assert.rejects(ask(named.url, { cluster }), {
      message: /its certificate is for another name/,
      hint: /tls-server-name/,
    });
    const right = { ...cluster, tlsServerName: "kube.internal" };
    assert.deepEqual(await ask(named.url, { cluster: right }), { cn: null });
    await assert.rejects(
      ask(named.url, { cluster: { ...cluster, tlsServerName: "other" } }),
      { message: /another name/ },
    );
  });
});

interface Proxy extends AsyncDisposable {
  readonly url: string;
  readonly asked: string[];
}

/** An HTTP proxy that only tunnels, for `user:pass@`. */
async function startProxy(refuse = false): Promise<Proxy> {
  const asked: string[] = [];
  const open = new Set<{ destroy(): void }>();
  const server = http.createServer();
  server.on("connect", (request, client) => {
    asked.push(
      `${request.url} ${
        atob(request.headers["proxy-authorization"]?.slice(6) ?? "")
      }`,
    );
    open.add(client);
    client.on("error", () => {});
    if (refuse) {
      return client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }
    const [host, port] = request.url!.split(":");
    const upstream = net.connect(Number(port), host!, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    open.add(upstream);
    upstream.on("error", () => client.destroy());
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://user:p%40ss@127.0.0.1:${
      (server.address() as AddressInfo).port
    }`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("proxy-url carries calls and port-forwards, with TLS inside", async () => {
  await using pki = await makePki();
  await using server = await FakeApiServer.start([whoAmI], { tls: pki.server });
  const sockets = new WebSocketServer({ noServer: true });
  server.server.on(
    "upgrade",
    (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (pod) => {
        pod.send(new Uint8Array([0, 1, 0]));
        pod.on("message", (data) => pod.send(data));
      }),
  );
  await using proxy = await startProxy();
  await using api = clientOf(server.url, {
    cluster: { ...authority(pki), proxyUrl: proxy.url },
  });
  assert.deepEqual(await api.raw("/x"), { cn: null });
  const stream = await api.portForward({ name: "web", port: 1 });
  stream.write("through");
  const { promise, resolve } = Promise.withResolvers<string>();
  stream.once("data", (chunk) => resolve(String(chunk)));
  assert.equal(await promise, "through");
  stream.destroy();
  assert.equal(proxy.asked[0], `127.0.0.1:${server.port} user:p@ss`);
});

Deno.test("a proxy that refuses is named as the one that did", async () => {
  await using proxy = await startProxy(true);
  const cluster = { proxyUrl: proxy.url };
  await assert.rejects(ask("https://10.0.0.1", { cluster }), {
    code: "CLUSTER_UNREACHABLE",
    message: /through the proxy "127.0.0.1:\d+": it answered 407/,
  });
});

Deno.test("proxyFor() reads the environment as Go programs do", () => {
  const env = {
    HTTPS_PROXY: "http://proxy:3128",
    http_proxy: "plain:80",
    NO_PROXY: "internal.acme.io, .corp,10.0.0.0/8,exact:6443",
  };
  const via = (server: string, proxyUrl?: string) =>
    proxyFor(new URL(server), proxyUrl === undefined ? {} : { proxyUrl }, env)
      ?.host;
  assert.equal(via("https://kube.acme.io"), "proxy:3128");
  assert.equal(via("http://kube.acme.io"), "plain");
  assert.equal(via("https://kube.acme.io", "http://own:1"), "own:1");
  assert.equal(via("https://10.0.0.1", "http://own:1"), "own:1");
  for (
    const direct of [
      "https://internal.acme.io",
      "https://a.internal.acme.io",
      "https://kube.corp",
      "https://10.20.30.40:6443",
      "https://exact:6443",
      "https://localhost:1",
      "https://127.0.0.1:1",
      "https://[::1]:1",
    ]
  ) assert.equal(via(direct), undefined, direct);
  assert.equal(via("https://11.0.0.1"), "proxy:3128");
  assert.equal(via("https://exact:443"), "proxy:3128");
  assert.equal(via("https://notinternal.acme.io"), "proxy:3128");
  assert.throws(() => via("https://a", "socks4://me:secret@x"), {
    code: "PROXY_UNSUPPORTED",
    message: /the proxy "socks4:\/\/…@x"/,
  });
  for (const password of ["pa/ss#w0rd", "p@ssw0rd", "S3cr?t"]) {
    assert.throws(() => via("https://a", `socks4://me:${password}@x`), {
      message: /the proxy "socks4:\/\/…@x"/,
    });
  }
});

const UNAUTHORISED = refusal(401, { message: "Unauthorized" });

/** Repeats the request's Authorization header. */
const repeat: Answer = (request, response) =>
  response.end(JSON.stringify(request.headers.authorization ?? null));

/** A server with TLS, and what a client needs to trust it. */
async function trustedServer(answers: readonly Answer[]) {
  const stack = new AsyncDisposableStack();
  const pki = stack.use(await makePki());
  const server = stack.use(
    await FakeApiServer.start(answers, { tls: pki.server }),
  );
  return {
    server,
    pki,
    ask: (user: ClientOptions["user"] = {}) =>
      ask(server.url, { cluster: authority(pki), user }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("tokens, passwords and impersonation travel as headers", async () => {
  await using trusted = await trustedServer([repeat]);
  assert.equal(await trusted.ask({ token: "t" }), "Bearer t");
  assert.equal(
    await trusted.ask({ username: "jäne", password: "p" }),
    `Basic ${new TextEncoder().encode("jäne:p").toBase64()}`,
  );
  await trusted.ask({
    impersonation: {
      "Impersonate-User": "jane",
      "Impersonate-Group": ["a", "b"],
    },
  });
  const { headers } = trusted.server.requests.at(-1)!;
  assert.equal(headers["impersonate-user"], "jane");
  assert.equal(headers["impersonate-group"], "a, b");
});

Deno.test("over plain http no secret is sent, and no plugin is run, as with kubectl", async () => {
  await using folder = await TempFolder.make();
  const trace = `${folder.path}/ran`;
  const exec = {
    command: await folder.write("login.sh", `#!/bin/sh\n>${trace}\n`, 0o700),
  };
  const tokenFile = await folder.write("token", "secret");
  await using server = await FakeApiServer.start([repeat]);
  for (
    const user of [
      { token: "secret" },
      { tokenFile },
      { username: "jane", password: "secret" },
      { exec },
    ]
  ) assert.equal(await ask(server.url, { user }), null);
  await ask(server.url, {
    user: { token: "secret", impersonation: { "Impersonate-User": "jane" } },
  });
  assert.equal(server.requests.at(-1)!.headers["impersonate-user"], "jane");
  await assert.rejects(Deno.stat(trace), Deno.errors.NotFound);
});

Deno.test("who is refused without credentials reads that they were not sent", async () => {
  await using server = await FakeApiServer.start([UNAUTHORISED]);
  await assert.rejects(ask(server.url, { user: { token: "t" } }), {
    code: "UNAUTHORISED",
    hint: /were not sent: "http:.*" is plain http/,
  });
  await assert.rejects(ask(server.url, {}), { hint: /Sign in again/ });
});

Deno.test("who is refused with a client certificate that has expired reads when it did", async () => {
  await using trusted = await trustedServer([UNAUTHORISED]);
  const { pki } = trusted;
  const userOf = ({ cert, key }: KeyPair) => ({
    certData: btoa(cert),
    keyData: btoa(key),
  });
  await assert.rejects(trusted.ask(userOf(pki.expiredClient)), {
    code: "UNAUTHORISED",
    hint:
      /^The client certificate of this context expired at \d{4}-\d\d-\d\dT[\d:]{8}Z: get a new one\.$/,
  });
  await assert.rejects(trusted.ask(userOf(pki.client)), {
    hint: /Sign in again/,
  });
});

Deno.test("a certificate with another's key is an error of that call, and told", async () => {
  await using trusted = await trustedServer([whoAmI]);
  const { client, stranger } = trusted.pki;
  await assert.rejects(
    trusted.ask({ certData: btoa(client.cert), keyData: btoa(stranger.key) }),
    { code: "CLUSTER_UNREACHABLE", hint: /do not belong together/ },
  );
});

Deno.test("a token file is read again when the server refuses the token", async () => {
  await using folder = await TempFolder.make();
  const tokenFile = await folder.write("token", "old\n");
  const rotate: Answer = async (request, response) => {
    await folder.write("token", "new\n");
    UNAUTHORISED(request, response);
  };
  await using trusted = await trustedServer([rotate, repeat]);
  assert.equal(await trusted.ask({ tokenFile }), "Bearer new");
});

Deno.test("a refused fixed token is not tried twice", async () => {
  await using trusted = await trustedServer([UNAUTHORISED]);
  await assert.rejects(trusted.ask({ token: "t" }), { code: "UNAUTHORISED" });
  assert.equal(trusted.server.requests.length, 1);
});

Deno.test("a credential file that is not there is named", async () => {
  await assert.rejects(
    ask("https://127.0.0.1:1", { user: { tokenFile: "/no/token" } }),
    {
      code: "KUBECONFIG_INVALID",
      message: /^Cannot read the token file "\/no\/token"/,
    },
  );
});

for (const namespace of ["..", ".", "../kube-system", "Shop", "a".repeat(64)]) {
  Deno.test(`"${namespace.slice(0, 20)}" is no namespace, whoever names it, and no request is sent`, async () => {
    await using folder = await TempFolder.make();
    const entry = (
      name: string,
      value: unknown,
    ) => [{ name: "a", [name]: value }];
    const write = (context: Record<string, string>) =>
      folder.write("config", {
        clusters: entry("cluster", { server: "https://127.0.0.1:1" }),
        users: entry("user", {}),
        contexts: entry("context", { cluster: "a", user: "a", ...context }),
        "current-context": "a",
      });
    const refused = { code: "NAMESPACE_INVALID", exitCode: 2 };
    const kubeconfig = await write({});
    await assert.rejects(connectKube({ kubeconfig, namespace }), refused);
    await write({ namespace });
    await assert.rejects(connectKube({ kubeconfig }), refused);
  });
}
