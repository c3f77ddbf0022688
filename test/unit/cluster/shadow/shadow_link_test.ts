import assert from "node:assert/strict";
import { awaitShadowLink } from "../../../../src/cluster/shadow/shadow_link.ts";
import type { Shadow } from "../../../../src/cluster/shadow/shadow.ts";
import {
  clientOf,
  FakeApiServer,
  refusal,
} from "../../kube/fake_api_server.ts";

Deno.test("a front that takes Upgrade away ends the attempts within 3 s", async () => {
  const notServed = refusal(404, { message: "no such page" });
  const stripped = refusal(400, { message: "Upgrade request required" });
  await using front = await FakeApiServer.start([
    (request, response) =>
      (request.url.includes("/portforward") ? stripped : notServed)(
        request,
        response,
      ),
  ]);
  await using kube = clientOf(front.url);
  const shadow = {
    podName: "shadow",
    hostPublicKey: "ssh-ed25519 AAAA",
    spec: { namespace: "shop", agent: { sshPort: 22, statusPort: 80 } },
  } as unknown as Shadow;
  const startedAt = performance.now();
  await assert.rejects(
    awaitShadowLink(kube, shadow, {
      ports: [],
      signal: new AbortController().signal,
      timeoutMs: 5_000,
      giveUpMs: 60_000,
      onLocalRefused() {},
    }),
    { code: "UPGRADE_REFUSED" },
  );
  assert.ok(performance.now() - startedAt < 3_000);
  assert.ok(front.requests.length < 6, `${front.requests.length} attempts`);
});
