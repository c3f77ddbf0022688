// The laptop sleeps and wakes, or its network becomes another one, while it exchanges and is connected.
import assert from "node:assert/strict";
import { succeeded } from "./cluster.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { startLocalDemo } from "./demo/local_demo.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { eventually, reaches } from "./laptop.ts";
import { shadowPod } from "./pod_process.ts";

const ignore = obstacle !== undefined;
/** From the moment that the network is there again. */
const MOST_MS = 5_000;
/** The agent counts a laptop as gone after 4 s. */
const ASLEEP_MS = 8_000;

Deno.test({
  name:
    "exchange and connect come back within 5 s of the network, from sleep, to another address, by a VPN, and say since when they were away",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    await using demo = await startLocalDemo({ within: laptop.enter });
    await using connect = await lab.connect();
    await using exchange = laptop.ktctl(
      ["exchange", "web", "--expose", `${demo.port}:80`],
    );
    await exchange.ready();
    const client = await namespace.client();
    await reaches(client);
    const podUrl = `http://${await lab.podIp()}:8080/`;

    /** Resolves when both links are up that `lose` costs; tells how long after its end that was. */
    const returns = async (
      what: string,
      lose: () => Promise<void>,
      mostMs = MOST_MS,
    ) => {
      const since = Date.now();
      const ups = [exchange, connect].map((one) => one.linkUp(60_000));
      await lose();
      const backAt = Date.now();
      const events = await Promise.all(ups);
      for (const [i, { time, ms, since: told }] of events.entries()) {
        const verb = ["exchange", "connect"][i];
        const afterMs = Date.parse(time) - backAt;
        console.log(
          `${what}: ${verb} back ${afterMs} ms after the network, tells ${ms} ms since ${told}`,
        );
        assert.ok(afterMs < mostMs, `${what}: ${verb} after ${afterMs} ms`);
        assertSince(Date.parse(told), since, what);
        assert.ok(Math.abs(ms - (Date.parse(time) - Date.parse(told))) < 100);
      }
      await reaches(client, { withinMs: 1_000 });
      await eventually(
        "the laptop reaches a pod",
        async () => /^demo pod=/.test(await lab.curl(podUrl)),
        1_000,
      );
    };
    const asleep = async (meanwhile: () => Promise<void>) => {
      using _sleep = laptop.fallAsleep();
      await meanwhile();
      await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS));
    };

    await t.step("another Wi-Fi: the address changes", async () => {
      await returns("another address", () => laptop.roam());
    });
    await t.step("the network is away for 12 s", async () => {
      await returns("cut", async () => {
        await laptop.cutNetwork(true);
        await new Promise((resolve) => setTimeout(resolve, 12_000));
        await laptop.cutNetwork(false);
      });
    });
    await t.step("a VPN comes up, and goes", async () => {
      const vpn = { down: async () => {} };
      await returns("VPN up", async () => {
        const open = await laptop.openVpn();
        vpn.down = async () => await open[Symbol.asyncDispose]();
      });
      await returns("VPN down", () => vpn.down());
    });
    await t.step("connections are dropped without a word", async () => {
      const forgotten = { end: async () => {} };
      await returns("forgotten", async () => {
        const rules = await laptop.forgetConnections();
        forgotten.end = async () => await rules[Symbol.asyncDispose]();
      });
      await forgotten.end();
    });
    await t.step("asleep until its connections are forgotten", async () => {
      const forgotten = { end: async () => {} };
      await returns("asleep", () =>
        asleep(async () => {
          const rules = await laptop.forgetConnections();
          forgotten.end = async () => await rules[Symbol.asyncDispose]();
        }));
      const wokeAt = Math.floor(Date.now() / 1000);
      await forgotten.end();
      await eventually("the heartbeat is not an old one", async () => {
        const path = ".metadata.annotations.kt-last-heart-beat";
        const beat = await lab.field("service web-kt-stuntman", path);
        return Number(beat) >= wokeAt - MOST_MS / 1000;
      }, 2_000);
    });
    await t.step(
      "asleep, and its Shadow Pods are gone when it wakes in another Wi-Fi",
      async () => {
        await returns("woken without pods", () =>
          asleep(async () => {
            await laptop.roam();
            const pods = [
              await shadowPod(namespace),
              `pod/${await lab.field(
                "pod -l kt-role=shadow-connect",
                ".items[0].metadata.name",
              )}`,
            ];
            const now = ["--force", "--grace-period=0"];
            succeeded(await namespace.kubectl(["delete", ...pods, ...now]));
          }), 2 * MOST_MS);
      },
    );

    await ends(exchange);
    await ends(connect);
    assert.equal(await namespace.snapshot(), lab.namespaceBefore);
  },
});

/** The last sign of life came a moment before, or what was lost was noticed at once. */
function assertSince(told: number, began: number, what: string): void {
  const lateMs = told - began;
  assert.ok(lateMs > -2_500 && lateMs < 2_500, `${what}: ${lateMs} ms`);
}

async function ends(session: KtctlProcess): Promise<void> {
  const { code, stdout, stderr } = await session.stop();
  assert.equal(code, 0, stdout + stderr);
}
