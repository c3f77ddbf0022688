import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { WebSocketServer } from "ws";
import { hostPort } from "../../../../src/core/host_port.ts";
import { proxyFor } from "../../../../src/kube/http/proxy.ts";
import { clientOf, FakeApiServer, json } from "../fake_api_server.ts";
import { startSocks5 } from "../socks5_server.ts";
import { makePki } from "../test_pki.ts";

for (const scheme of ["socks5", "socks5h"]) {
  Deno.test(`${scheme}: requests and port-forwards go through the proxy, which resolves the name`, async () => {
    await using pki = await makePki();
    await using server = await FakeApiServer.start([json({ seen: true })], {
      tls: pki.server,
    });
    const sockets = new WebSocketServer({ noServer: true });
    server.server.on(
      "upgrade",
      (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (pod) => {
          pod.send(new Uint8Array([0, 1, 0]));
          pod.on("message", (data) => pod.send(data));
        }),
    );
    await using proxy = await startSocks5({
      login: "me:p@ss",
      resolve: () => "127.0.0.1",
    });
    const url = `https://kube.invalid:${server.port}`;
    await using api = clientOf(url, {
      cluster: {
        caData: btoa(pki.ca.cert),
        tlsServerName: "localhost",
        proxyUrl: `${scheme}://me:p%40ss@127.0.0.1:${proxy.port}`,
      },
    });
    assert.deepEqual(await api.raw("/x"), { seen: true });
    assert.deepEqual(api.hosts(), ["kube.invalid", "127.0.0.1"]);
    const stream = await api.portForward({ name: "web", port: 1 });
    stream.write("through");
    assert.equal(String((await once(stream, "data"))[0]), "through");
    stream.destroy();
    assert.equal(proxy.asked[0], `kube.invalid ${server.port} me:p@ss`);
    assert.equal(new Set(proxy.asked).size, 1);
  });
}

Deno.test("HTTPS_PROXY may name a SOCKS5 proxy; one that refuses the login is named", async () => {
  await using proxy = await startSocks5({ login: "me:right" });
  await using api = clientOf("https://[2001:db8::1]:6443", {
    env: { HTTPS_PROXY: `socks5://me:wrong@127.0.0.1:${proxy.port}` },
  });
  await assert.rejects(api.raw("/x"), {
    code: "CLUSTER_UNREACHABLE",
    message: /through the proxy "127.0.0.1:\d+": .*[Aa]uthentication failed/,
  });
});

Deno.test("a proxy that is silent holds no call beyond its deadline, nor beyond its signal, and nothing is sent when it answers", async () => {
  await using server = await FakeApiServer.start([json({ seen: true })]);
  const asked: net.Socket[] = [];
  const answer = (client: net.Socket) => {
    const upstream = net.connect(server.port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    client.on("close", () => upstream.destroy());
  };
  const silent = (_request: unknown, client: unknown) =>
    void asked.push(client as net.Socket);
  const proxy = http.createServer().on("connect", silent);
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as net.AddressInfo;
  const begin = performance.now();
  await using api = clientOf(server.url, {
    cluster: { proxyUrl: `http://127.0.0.1:${port}` },
  });
  await assert.rejects(api.raw("/x", { timeoutMs: 200 }), {
    message: /did not answer within 0.2 seconds/,
  });
  const controller = new AbortController();
  const call = api.raw("/x", { signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  await assert.rejects(call, { code: "CANCELLED" });
  assert.ok(performance.now() - begin < 10_000); // the proxy has 20 s
  assert.equal(asked.length, 2);
  proxy.off("connect", silent);
  proxy.on("connect", (request, client) => {
    silent(request, client);
    answer(client as net.Socket);
  });
  asked.forEach(answer);
  assert.deepEqual(await api.raw("/y"), { seen: true });
  assert.deepEqual(server.requests.map(({ url }) => url), ["/y"]);
  for (const client of asked) client.destroy();
  await new Promise((done) => proxy.close(done));
});

Deno.test("an IPv6 API server is reached through HTTP and SOCKS5 proxies", async () => {
  await using server = await ipv6Server();
  await using socks = await startSocks5();
  const asked: string[] = [];
  const connect = http.createServer().on("connect", (request, client) => {
    asked.push(`${request.url} ${request.headers.host}`);
    const upstream = net.connect(server.port, "::1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    client.on("close", () => upstream.destroy());
  });
  connect.listen(0, "127.0.0.1");
  await once(connect, "listening");
  const { port } = connect.address() as net.AddressInfo;
  for (
    const proxyUrl of [
      `http://127.0.0.1:${port}`,
      `socks5://127.0.0.1:${socks.port}`,
    ]
  ) {
    await using api = clientOf(`http://[::1]:${server.port}`, {
      cluster: { proxyUrl },
    });
    assert.deepEqual(await api.raw("/x"), { seen: true });
  }
  const target = `[::1]:${server.port}`;
  assert.deepEqual(asked, [`${target} ${target}`]);
  assert.deepEqual(socks.asked, [`::1 ${server.port}`]);
  connect.closeAllConnections();
  await new Promise((done) => connect.close(done));
});

async function ipv6Server() {
  const server = http.createServer((_request, response) =>
    response.end(JSON.stringify({ seen: true }))
  );
  server.listen(0, "::1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

Deno.test("NO_PROXY: what each form of rule takes in", () => {
  const cases: readonly [rule: string, server: string, bypassed: boolean][] = [
    ["*", "https://a.b", true],
    ["a.b", "https://a.b", true],
    ["a.b", "https://x.a.b", true],
    ["a.b", "https://xa.b", false],
    [".a.b", "https://x.a.b", true],
    [".a.b", "https://a.b", false],
    ["*.a.b", "https://x.a.b", true],
    ["*.a.b", "https://a.b", false],
    ["a.b:6443", "https://a.b:6443", true],
    ["a.b:6443", "https://a.b", false],
    ["a.b:443", "https://a.b", true],
    ["a.b:80", "http://a.b", true],
    ["a.b:443", "http://a.b", false],
    ["10.0.0.0/8", "https://10.1.2.3:6443", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["10.0.0.0/33", "https://10.1.2.3", false],
    ["10.1.2.3", "https://10.1.2.3:6443", true],
    ["10.1.2.3:6443", "https://10.1.2.3:6443", true],
    ["10.1.2.3:6443", "https://10.1.2.3", false],
    ["fd00::/8", "https://[fd12::1]:6443", true],
    ["fd00::/8", "https://[2001:db8::1]", false],
    ["::/0", "https://10.1.2.3", false],
    ["2001:db8::1", "https://[2001:db8::1]:6443", true],
    ["2001:DB8:0::1", "https://[2001:db8::1]", true],
    ["[2001:db8::1]", "https://[2001:db8::1]:6443", true],
    ["[2001:db8::1]:6443", "https://[2001:db8::1]:6443", true],
    ["[2001:db8::1]:6443", "https://[2001:db8::1]", false],
    [" x , a.b ", "https://a.b", true],
    [",.,", "https://a.b", false],
    ["", "https://[::1]:1", true],
    ["", "https://127.8.9.1:1", true],
    ["", "https://localhost", true],
    ["", "https://a.b", false],
  ];
  for (const [rule, server, bypassed] of cases) {
    const env = { HTTPS_PROXY: "p:1", HTTP_PROXY: "p:1", NO_PROXY: rule };
    const proxy = proxyFor(new URL(server), {}, env);
    assert.equal(proxy === undefined, bypassed, `${rule} for ${server}`);
  }
});

Deno.test("hostPort() sets an IPv6 address in brackets, once", () => {
  assert.equal(hostPort("::1", 80), "[::1]:80");
  assert.equal(hostPort("[::1]", "80"), "[::1]:80");
  assert.equal(hostPort("10.0.0.1", 80), "10.0.0.1:80");
  assert.equal(hostPort("web.shop", 80), "web.shop:80");
});
