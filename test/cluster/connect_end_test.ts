// However `connect` ends, the laptop is as it was.
import assert from "node:assert/strict";
import { succeeded } from "./cluster.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { eventually } from "./laptop.ts";

const MODES = ["tun2socks", "sshuttle"];
const ignore = obstacle !== undefined;

/** Until the laptop is as before; tells how long it took, or what is different and what ktctl said last. */
async function restored(
  lab: ConnectLab,
  how: string,
  connect: KtctlProcess,
): Promise<void> {
  let now = "";
  const ms = await eventually(
    "the laptop is as it was",
    async () => (now = await lab.laptop.snapshot()) === lab.before,
    10_000, // sooner than an API server that is away is given up
  ).catch(() => {
    console.log(connect.events.slice(-10));
    assert.equal(now, lab.before);
    throw new Error(`the laptop was as before only after 10 s: ${how}`);
  });
  console.log(`the laptop was as before ${ms} ms after ${how}`);
}

for (const mode of MODES) {
  Deno.test({
    name: `connect --mode ${mode}: however it ends, all is put back`,
    ignore,
    async fn(t) {
      await using lab = await ConnectLab.open();

      await t.step(
        "kill -9 of the client puts the laptop back; the next command does the same in the cluster",
        async () => {
          await using connect = await lab.connect("--mode", mode);
          assert.notEqual(await lab.laptop.snapshot(), lab.before);
          await connect.stop("SIGKILL");
          await restored(lab, "kill -9 of the client", connect);
          const { code, stdout } = await lab.laptop.ktctl(["clean"]).ended();
          assert.equal(code, 0, stdout);
          assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
        },
      );

      await t.step(
        "kill -9 of the root helper ends it with an error, and all is put back",
        async () => {
          await using connect = await lab.connect("--mode", mode);
          await lab.laptop.output(
            "kill",
            "-9",
            `${await lab.laptop.helperPid()}`,
          );
          const { code, error, stdout } = await connect.ended();
          assert.equal(error?.["code"], "HELPER_LOST", stdout);
          assert.equal(code, 9, stdout);
          await restored(lab, "the client's end", connect);
          assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
        },
      );

      await t.step(
        "when the cluster is lost, Ctrl-C puts the laptop back at once and says what is left in the cluster",
        async () => {
          await using connect = await lab.connect("--mode", mode);
          await lab.laptop.cutNetwork(true);
          try {
            connect.kill("SIGINT");
            await restored(lab, "Ctrl-C without a cluster", connect);
          } finally {
            await lab.laptop.cutNetwork(false);
          }
          const { code, stdout } = await connect.ended();
          const { stdout: cleaned } = await lab.laptop.ktctl(["clean"]).ended();
          assert.ok(code === 0 || code === 9, `${stdout}\n${cleaned}`);
          assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
        },
      );

      await t.step(
        "after kill -9 of client and helper at once, or a power cut, clean --localOnly puts the laptop back",
        async () => {
          const { laptop } = lab;
          for (const isPowerCut of [false, true]) {
            await using connect = await lab.connect("--mode", mode);
            const helper = await laptop.helperPid();
            await laptop.output("kill", "-9", `${helper}`, `${connect.pid}`);
            await connect.ended();
            assert.notEqual(await laptop.snapshot(), lab.before);
            if (isPowerCut) { // the files stay, and nothing else
              await laptop.output(
                "sh",
                "-c",
                "rm -r /run/ktctl; ip link del ktctl0; nft flush ruleset; true",
              );
            }
            const dryRun = await laptop.ktctl([
              "clean",
              "--localOnly",
              "--dryRun",
            ])
              .ended();
            const isLeft = await laptop.snapshot() !== lab.before;
            const planned = dryRun.events.filter(({ event }) =>
              event === "action"
            );
            assert.equal(planned.length > 0, isLeft, dryRun.stdout);
            const { code, stdout } = await laptop.ktctl([
              "clean",
              "--localOnly",
            ])
              .ended();
            assert.equal(code, 0, stdout);
            assert.equal(await laptop.snapshot(), lab.before);
          }
          await laptop.ktctl(["clean"]).ended();
          assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
        },
      );
    },
  });
}

Deno.test({
  name: "connect: Ctrl-C at any step of the set-up leaves nothing",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const steps = [
      "check",
      "start the Shadow Pod",
      "connect to the Shadow Pod",
      "open the network to the cluster",
    ];
    for (const step of steps) {
      await t.step(step, async () => {
        await using connect = lab.laptop.ktctl(["connect"]);
        await connect.event((event) =>
          event.event === "step" && event["name"] === step
        );
        const { code, stdout } = await connect.stop();
        assert.equal(code, 130, stdout);
        assert.equal(await lab.laptop.snapshot(), lab.before);
        assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
      });
    }
  },
});

Deno.test({
  name:
    "connect comes back by itself: network cut for 20 s, Shadow Pod deleted, API server restarted",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    await using connect = await lab.connect();
    const url = `http://${await lab.clusterIp()}/`;
    const answers = async () =>
      /^demo pod=web-/.test(await lab.curl(url, "-m", "2"));
    const returns = async (what: string, lostMs: number) => {
      const ms = await eventually("connections work again", answers, 60_000);
      console.log(
        `${what}: lost after ${lostMs} ms, back ${ms} ms after its cause had gone`,
      );
    };
    const lost = async () => {
      const started = performance.now();
      await connect.next(
        (event) => event.event === "link" && event["state"] === "down",
        15_000,
      );
      return Math.round(performance.now() - started);
    };
    const device = await laptop.output("ip", "-o", "link", "show", "ktctl0");

    await t.step("the network was cut for 20 s", async () => {
      const noticed = lost();
      await laptop.cutNetwork(true);
      let lostMs = 0;
      try {
        lostMs = await noticed;
        assert.ok(lostMs < 6_000, `${lostMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 20_000 - lostMs));
      } finally {
        await laptop.cutNetwork(false);
      }
      await returns("network", lostMs);
    });

    await t.step("the Shadow Pod was deleted", async () => {
      const [pod] = (await lab.field(
        "pod -l kt-role=shadow-connect",
        ".items[*].metadata.name",
      )).split(" ");
      const noticed = lost();
      succeeded(
        await namespace.kubectl([
          "delete",
          "pod",
          pod!,
          "--force",
          "--grace-period=0",
        ]),
      );
      await returns("pod", await noticed);
    });

    await t.step("the API server was restarted", async () => {
      const noticed = lost();
      await cluster!.restartApiServer();
      await returns("API server", await noticed);
    });

    await t.step("device and names are those of before", async () => {
      assert.equal(
        await laptop.output("ip", "-o", "link", "show", "ktctl0"),
        device,
      );
      assert.match(await lab.curl("http://web/"), /^demo pod=web-/);
    });
    assert.equal((await connect.stop()).code, 0);
    assert.equal(await laptop.snapshot(), lab.before);
    assert.equal(await namespace.snapshot(), lab.namespaceBefore);
  },
});
