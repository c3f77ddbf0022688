// One developer, one Service, all at once.
import assert from "node:assert/strict";
import { startLocalDemo } from "./demo/local_demo.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { eventually } from "./laptop.ts";

Deno.test({
  name:
    "connect, mesh, exchange and preview work on one laptop at once, and mesh and exchange of one Service one after the other",
  ignore: obstacle !== undefined,
  async fn() {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    await using demo = await startLocalDemo({
      name: "laptop",
      within: laptop.enter,
    });
    const before = await laptop.snapshot();
    await using connect = await lab.connect();
    const expose = ["--expose", `${demo.port}:80`];
    {
      await using mesh = laptop.ktctl([
        "mesh",
        "web",
        "--versionMark",
        "demo",
        ...expose,
      ]);
      await using preview = laptop.ktctl(["preview", "mine", ...expose]);
      await using other = laptop.ktctl([
        "exchange",
        "web-grpc",
        "--expose",
        `${demo.grpcPort}:50051`,
      ]);
      await Promise.all([mesh.ready(), preview.ready(), other.ready()]);
      const { error } = await laptop.ktctl(["exchange", "web", ...expose])
        .ended();
      assert.equal(error?.["code"], "SERVICE_MESHED");
      await eventually(
        "marked requests come back to the laptop",
        async () =>
          await lab.curl("http://web/", "-H", "version: demo") ===
            "demo pod=laptop",
      );
      assert.match(await lab.curl("http://web/"), /^demo pod=web-/);
      await eventually(
        "the preview has a name here",
        async () => await lab.curl("http://mine/") === "demo pod=laptop",
      );
      assert.equal((await mesh.stop()).code, 0);
      assert.equal((await preview.stop()).code, 0);
      assert.equal((await other.stop()).code, 0);
    }
    {
      await using exchange = laptop.ktctl(["exchange", "web", ...expose]);
      await exchange.ready();
      await eventually(
        "all requests come back to the laptop",
        async () => await lab.curl("http://web/") === "demo pod=laptop",
      );
      assert.equal((await exchange.stop()).code, 0);
      await eventually(
        "and to the pods again",
        async () => /^demo pod=web-/.test(await lab.curl("http://web/")),
      );
    }
    assert.equal((await connect.stop()).code, 0);
    assert.equal(await laptop.snapshot(), before);
    assert.equal(await namespace.snapshot(), lab.namespaceBefore);
  },
});
