import assert from "node:assert/strict";
import { makeCredentials } from "../../../../src/kube/credentials/make_credentials.ts";
import { FakeApiServer, targetOf } from "../fake_api_server.ts";
import { makePki, type TestPki } from "../test_pki.ts";

function tokenOf(secondsFromNow: number, issuer = "https://issuer"): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value))
      .toBase64({ alphabet: "base64url", omitPadding: true });
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: crypto.randomUUID(), aud: "kube", iat };
  return [
    part({ alg: "RS256" }),
    part({ ...claims, exp: iat + secondsFromNow }),
    "c2lnbmF0dXJl",
  ].join(".");
}

/**
 * An identity provider that gives `token-1`, `token-2` …, each for the refresh token of before. The first
 * `unanswered` requests are lost.
 */
async function startIssuer(
  pki: TestPki,
  secondsOfTokens: number,
  unanswered = 0,
) {
  const given: string[] = [];
  const server = await FakeApiServer.start([({ url, body }, response) => {
    const answer = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (server.requests.length <= unanswered) return;
    if (url.startsWith("/.well-known/")) {
      return answer(200, {
        issuer: server.url,
        token_endpoint: `${server.url}/token`,
        authorization_endpoint: `${server.url}/auth`,
        jwks_uri: `${server.url}/keys`,
      });
    }
    const form = new URLSearchParams(body);
    const isWanted = form.get("grant_type") === "refresh_token" &&
      form.get("client_id") === "kube" &&
      form.get("client_secret") === "s3cret" &&
      form.get("refresh_token") === `refresh-${given.length}`;
    if (!isWanted) return answer(400, { error: "invalid_grant" });
    given.push(tokenOf(secondsOfTokens, server.url));
    answer(200, {
      access_token: "a",
      token_type: "bearer",
      id_token: given.at(-1),
      refresh_token: `refresh-${given.length}`,
    });
  }], { tls: pki.server });
  return { server, given };
}

function credentialsOf(config: Record<string, string>) {
  const authProvider = { name: "oidc", config };
  return makeCredentials(
    targetOf("https://kube:6443", { user: { authProvider } }),
  );
}

Deno.test("oidc: an id token that holds is sent as it is", async () => {
  const token = tokenOf(3600);
  const { headers } = await credentialsOf({ "id-token": token }).authorize();
  assert.equal(headers.Authorization, `Bearer ${token}`);
});

Deno.test("oidc: an expired id token is replaced once, and again when that has expired or is refused", async () => {
  await using pki = await makePki();
  for (const seconds of [3600, 1]) {
    const { server, given } = await startIssuer(pki, seconds);
    await using _server = server;
    const credentials = credentialsOf({
      "id-token": tokenOf(-60),
      "refresh-token": "refresh-0",
      "client-id": "kube",
      "client-secret": "s3cret",
      "idp-issuer-url": server.url,
      "idp-certificate-authority-data": btoa(pki.ca.cert),
    });
    for (const time of [1, 2]) {
      const { headers } = await credentials.authorize();
      const token = given[seconds > 60 ? 0 : time - 1];
      assert.equal(headers.Authorization, `Bearer ${token}`);
      credentials.drop();
    }
    assert.equal(given.length, seconds > 60 ? 1 : 2);
  }
});

Deno.test("oidc: a provider whose answer is lost, as on a laptop that wakes up, is asked again after 3 s", async () => {
  await using pki = await makePki();
  const { server, given } = await startIssuer(pki, 3600, 1);
  await using _server = server;
  const credentials = credentialsOf({
    "refresh-token": "refresh-0",
    "client-id": "kube",
    "client-secret": "s3cret",
    "idp-issuer-url": server.url,
    "idp-certificate-authority-data": btoa(pki.ca.cert),
  });
  const began = performance.now();
  const { headers } = await credentials.authorize();
  assert.equal(headers.Authorization, `Bearer ${given[0]}`);
  const ms = performance.now() - began;
  assert.ok(ms < 5_000, `${ms} ms`);
});

Deno.test("oidc: what the identity provider refuses is told, and an issuer of another authority is not believed", async () => {
  await using pki = await makePki();
  const { server } = await startIssuer(pki, 3600);
  await using _server = server;
  const config = {
    "refresh-token": "another",
    "client-id": "kube",
    "client-secret": "s3cret",
    "idp-issuer-url": server.url,
    "idp-certificate-authority-data": btoa(pki.ca.cert),
  };
  const refused = { code: "CREDENTIAL_PLUGIN_FAILED" };
  await assert.rejects(credentialsOf(config).authorize(), refused);
  assert.equal(server.requests.length, 2);
  await assert.rejects(
    credentialsOf({
      ...config,
      "idp-certificate-authority-data": btoa(pki.stranger.cert),
    }).authorize(),
    refused,
  );
  assert.equal(server.requests.length, 2);
});

Deno.test("oidc: an expired id token without a refresh token says what is missing", async () => {
  await assert.rejects(
    credentialsOf({ "id-token": tokenOf(-60) }).authorize(),
    /id token has expired, .* lacks .*refresh-token/,
  );
});
