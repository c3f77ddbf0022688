import assert from "node:assert/strict";
import { UsageError } from "../../../src/core/errors.ts";
import { readOptions } from "../../../src/plugins/driver.ts";
import routerPod from "../../../src/plugins/routing/router_pod.ts";

Deno.test("a router image that cannot be one is refused before anything is planned", async () => {
  await assert.rejects(
    readOptions(routerPod, { routerImage: "-x" }),
    (error: unknown) =>
      error instanceof UsageError &&
      /--routerImage "-x" as an image: it is not like/.test(error.details[0]!),
  );
  assert.deepEqual(await readOptions(routerPod, { routerImage: "a/b:1" }), {
    routerImage: "a/b:1",
  });
});
