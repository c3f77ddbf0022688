// The kubeconfig is written anew while a command runs: what was refused is tried with what it says now.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import type { ServerOptions } from "node:https";
import { connectKube } from "../../../src/kube/connect_kube.ts";
import type { KubeApi } from "../../../src/kube/kube_api.ts";
import { type Answer, FakeApiServer, refusal } from "./fake_api_server.ts";
import { TempFolder } from "./temp_folder.ts";
import { makePki } from "./test_pki.ts";

const repeat: Answer = ({ headers }, response) =>
  response.end(JSON.stringify(headers.authorization ?? null));
const only = (token: string): Answer => (request, response) =>
  request.headers.authorization === `Bearer ${token}`
    ? repeat(request, response)
    : refusal(401, { message: "Unauthorized" })(request, response);

class Lab implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  private constructor(
    readonly folder: TempFolder,
    readonly server: FakeApiServer,
  ) {}

  static async open(answer: Answer, tls: ServerOptions): Promise<Lab> {
    const server = await FakeApiServer.start([answer], { tls });
    const lab = new Lab(await TempFolder.make(), server);
    lab.#stack.use(lab.folder);
    lab.#stack.use(server);
    return lab;
  }

  /** @returns The kubeconfig's path. */
  write(
    { cluster, user, server = this.server.url }: {
      cluster: Record<string, string>;
      user: Record<string, string>;
      server?: string;
    },
  ): Promise<string> {
    return this.folder.write("config", {
      "current-context": "here",
      contexts: [{ name: "here", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server, ...cluster } }],
      users: [{ name: "u", user }],
    });
  }

  async connect(): Promise<KubeApi> {
    const kubeconfig = `${this.folder.path}/config`;
    return this.#stack.use(await connectKube({ kubeconfig, env: {} }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

Deno.test("a token that was renewed in the kubeconfig is used once the old one is refused", async () => {
  await using pki = await makePki();
  await using lab = await Lab.open(only("new"), pki.server);
  const cluster = { "certificate-authority-data": btoa(pki.ca.cert) };
  await lab.write({ cluster, user: { token: "old" } });
  const api = await lab.connect();
  await assert.rejects(api.raw("/x"), { code: "UNAUTHORISED" });
  assert.equal(lab.server.requests.length, 1);
  await lab.write({ cluster, user: { token: "new" } });
  assert.equal(await api.raw("/x"), "Bearer new");
  assert.equal(lab.server.requests.length, 3);
});

for (const where of ["the kubeconfig", "a file of its own"]) {
  Deno.test(`a certificate authority that was rotated in ${where} is trusted by requests and upgrades`, async () => {
    await using pki = await makePki();
    await using lab = await Lab.open(repeat, pki.server);
    const write = async (pem: string) => {
      const caFile = await lab.folder.write("ca.crt", pem);
      const cluster = where === "the kubeconfig"
        ? { "certificate-authority-data": btoa(pem) }
        : { "certificate-authority": caFile };
      await lab.write({ cluster, user: { token: "t" } });
    };
    await write(pki.stranger.cert);
    const asks = await lab.connect();
    const upgrades = await lab.connect();
    await assert.rejects(asks.raw("/x"), { message: /not trusted/ });
    const pod = { name: "p", namespace: "n", port: 1 };
    const upgrade = { path: "/link", protocol: "p", headers: {} };
    await assert.rejects(upgrades.proxyToPod(pod, upgrade), {
      message: /not trusted/,
    });
    await write(pki.ca.cert);
    assert.equal(await asks.raw("/x"), "Bearer t");
    // the server has answered, though it does not upgrade
    await assert.rejects(upgrades.proxyToPod(pod, upgrade), (error: Error) => {
      assert.doesNotMatch(error.message, /not trusted/);
      return true;
    });
  });
}

for (const [title, torn] of [["missing", undefined], ["empty", ""]] as const) {
  Deno.test(`certificates that are ${title} for a moment, while they are rotated, are used once they are there`, async () => {
    await using pki = await makePki();
    await using lab = await Lab.open(repeat, pki.server);
    const { path } = lab.folder;
    const [authority, own] = [`${path}/ca.crt`, `${path}/me.crt`];
    const put = async (file: string, text: string | undefined) => {
      if (text === undefined) await rm(file);
      else await writeFile(file, text);
    };
    await put(authority, pki.stranger.cert);
    await put(own, pki.client.cert);
    await lab.write({
      cluster: { "certificate-authority": authority },
      user: {
        "client-certificate": own,
        "client-key-data": btoa(pki.client.key),
      },
    });
    const api = await lab.connect();
    await assert.rejects(api.raw("/x"), { message: /not trusted/ });
    await put(authority, torn);
    await put(own, torn);
    await assert.rejects(api.raw("/x"));
    await assert.rejects(api.raw("/x"));
    await put(authority, pki.ca.cert);
    await put(own, pki.client.cert);
    assert.equal(await api.raw("/x"), null);
  });
}

Deno.test("a kubeconfig that leads to another server now is not followed", async () => {
  await using pki = await makePki();
  await using lab = await Lab.open(only("new"), pki.server);
  const cluster = { "certificate-authority-data": btoa(pki.ca.cert) };
  await lab.write({ cluster, user: { token: "old" } });
  const api = await lab.connect();
  const server = "https://192.0.2.1";
  await lab.write({ cluster, user: { token: "new" }, server });
  await assert.rejects(api.raw("/x"), { code: "UNAUTHORISED" });
});

Deno.test("a client certificate that was renewed in its file is shown once the old one is refused", async () => {
  await using pki = await makePki();
  const answer: Answer = (request, response) => {
    const { socket } = response as unknown as {
      socket: { getPeerCertificate(): { subject?: { CN: string } } };
    };
    const name = socket.getPeerCertificate().subject?.CN;
    if (name === "client") response.end(JSON.stringify(name));
    else refusal(401, { message: "Unauthorized" })(request, response);
  };
  await using lab = await Lab.open(answer, {
    ...pki.server,
    ca: pki.ca.cert,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const show = async ({ cert, key }: { cert: string; key: string }) => ({
    "client-certificate": await lab.folder.write("client.crt", cert),
    "client-key": await lab.folder.write("client.key", key),
  });
  const cluster = { "certificate-authority-data": btoa(pki.ca.cert) };
  await lab.write({ cluster, user: await show(pki.expiredClient) });
  const api = await lab.connect();
  await assert.rejects(api.raw("/x"));
  await show(pki.client);
  assert.equal(await api.raw("/x"), "client");
});
