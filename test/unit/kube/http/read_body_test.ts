import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { ClusterError } from "../../../../src/core/errors.ts";
import { readBody } from "../../../../src/kube/http/read_body.ts";
import { PODS } from "../../../../src/kube/resources.ts";
import { type Answer, clientOf, FakeApiServer } from "../fake_api_server.ts";

/** An answer that goes on until its reader goes. */
async function endless(status: number) {
  const server = http.createServer((_request, response) => {
    response.writeHead(status);
    const write = () => {
      while (!response.destroyed && response.write("x".repeat(10_000)));
    };
    response.on("drain", write);
    write();
  });
  await new Promise<void>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve())
  );
  const { port } = server.address() as AddressInfo;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) =>
    http.get({ host: "127.0.0.1", port, agent: false }, resolve)
      .on("error", reject)
  );
  return {
    response,
    async [Symbol.asyncDispose]() {
      response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("an answer without end is given up, with its connection", async () => {
  await using answer = await endless(200);
  await assert.rejects(
    readBody(answer.response, 1_000_000),
    (error) =>
      error instanceof ClusterError && error.code === "ANSWER_TOO_LONG",
  );
  assert.ok(answer.response.destroyed);
});

Deno.test("of a refusal without end its beginning is enough", async () => {
  await using answer = await endless(403);
  const text = await readBody(answer.response, 1_000_000);
  assert.match(text, /^x{65537,1000000}$/);
});

/** As the API server does with long lists, for whoever says to take it. */
const packed = (value: unknown): Answer => ({ headers }, response) => {
  assert.equal(headers["accept-encoding"], "gzip");
  response.writeHead(200, { "Content-Encoding": "gzip" });
  response.end(gzipSync(JSON.stringify(value)));
};

Deno.test("a list comes compressed", async () => {
  const items = Array.from({ length: 500 }, (_, at) => ({
    metadata: { name: `web-${at}` },
  }));
  await using server = await FakeApiServer.start([
    packed({ kind: "PodList", metadata: {}, items }),
  ]);
  await using kube = clientOf(server.url);
  const pods = await kube.list(PODS);
  assert.deepEqual(pods.map(({ metadata }) => metadata.name).slice(-1), [
    "web-499",
  ]);
  assert.equal(pods.length, 500);
});

Deno.test("the limit is that of the text, not of what it came as", async () => {
  await using server = await FakeApiServer.start([packed("x".repeat(2e6))]);
  const response = await new Promise<http.IncomingMessage>((resolve) =>
    http.get(server.url, {
      agent: false,
      headers: { "accept-encoding": "gzip" },
    }, resolve)
  );
  await assert.rejects(readBody(response, 1_000_000), {
    code: "ANSWER_TOO_LONG",
  });
  assert.ok(response.destroyed);
});
