import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { ClusterError } from "../../../../src/core/errors.ts";
import { readBody } from "../../../../src/kube/http/read_body.ts";

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
