import assert from "node:assert/strict";
import {
  linkOr,
  reopenLink,
} from "../../../../src/cluster/shadow/reopen_link.ts";
import { Cancelled, LinkError } from "../../../../src/core/errors.ts";

class FakeLink {
  isClosed = false;
  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function open() {
  const warnings: string[] = [];
  const controller = new AbortController();
  return {
    warnings,
    controller,
    options: {
      lost: Promise.withResolvers<string>().promise,
      signal: controller.signal,
      report: {
        warn: (code: string, message: string) =>
          void warnings.push(`${code} ${message}`),
      },
    },
  };
}

Deno.test("a link is opened until it is back, and each thing in its way is told once", async () => {
  const { warnings, options } = open();
  const link = new FakeLink();
  const failures = ["away", "away", "refused"].map((message) =>
    new LinkError("LINK_DOWN", message)
  );
  const back = await reopenLink(() => {
    const failure = failures.shift();
    return failure === undefined
      ? Promise.resolve(link)
      : Promise.reject(failure);
  }, options);
  assert.equal(back, link);
  assert.deepEqual(warnings, ["LINK_DOWN away", "LINK_DOWN refused"]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(!link.isClosed);
});

Deno.test("somebody else in the agent's place ends it at the first attempt", async () => {
  const { warnings, options } = open();
  let attempts = 0;
  const opening = reopenLink(() => {
    attempts++;
    return Promise.reject(
      new LinkError("HOST_KEY_MISMATCH", "not the agent's key"),
    );
  }, options);
  await assert.rejects(opening, { code: "HOST_KEY_MISMATCH" });
  assert.equal(attempts, 1);
  assert.deepEqual(warnings, []);
});

Deno.test("the loss of the pod ends the attempts, and a link that opens after it is closed", async () => {
  const { options } = open();
  const link = new FakeLink();
  const opening = Promise.withResolvers<FakeLink>();
  let signal: AbortSignal | undefined;
  const lost = Promise.withResolvers<string>();
  const back = reopenLink((its) => {
    signal = its;
    return opening.promise;
  }, { ...options, lost: lost.promise });
  lost.resolve("the pod is gone");
  assert.equal(await back, "the pod is gone");
  assert.ok(signal?.aborted);
  opening.resolve(link);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(link.isClosed);
});

Deno.test("a first link that opens after the pod has failed is closed", async () => {
  const link = new FakeLink();
  const opening = Promise.withResolvers<FakeLink>();
  await assert.rejects(
    linkOr(opening.promise, Promise.reject(new Cancelled())),
    Cancelled,
  );
  opening.resolve(link);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(link.isClosed);
});
