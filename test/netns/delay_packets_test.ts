import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { firstLine } from "./dns_namespace.ts";
import { NetworkNamespace } from "./network_namespace.ts";
import { obstacleWithout } from "./packages.ts";

const obstacle = await obstacleWithout({ ip: "iproute2" });
const benchFile = (name: string) =>
  fileURLToPath(new URL(`../../bench/${name}`, import.meta.url));
const ONE_WAY_MS = 10;
const MIB = 2 ** 20;
const [NEAR, FAR] = ["10.99.0.1", "10.99.0.2"];

Deno.test({
  name: obstacle === undefined
    ? "the bench's long cable holds up each packet alike, and none of them waits for another"
    : `the bench's long cable: ${obstacle}`,
  ignore: obstacle !== undefined,
  fn: async () => {
    await using near = await NetworkNamespace.create();
    await using far = await NetworkNamespace.create();
    await using _cable = await start(far, "delay_packets.ts", [
      "cable0",
      "cable1",
      `${ONE_WAY_MS}`,
    ]);
    await far.run("ip", "link", "set", "cable0", "netns", near.name);
    await near.batch([
      "link set cable0 up",
      `address add ${NEAR} peer ${FAR} dev cable0`,
    ]);
    await far.batch([
      "link set cable1 up",
      `address add ${FAR} peer ${NEAR} dev cable1`,
    ]);
    await using server = await start(far, "traffic.ts", ["serve", FAR, "0"]);
    const traffic = async (...[what, ...words]: string[]) => {
      const args = ["run", "-A", "--no-config", benchFile("traffic.ts")];
      const to = [what!, FAR, server.line];
      return JSON.parse(
        await near.run(Deno.execPath(), ...args, ...to, ...words),
      );
    };
    const { p50: kept } = await traffic("requests", "keep", "1", "5");
    const { p50: fresh } = await traffic("requests", "fresh", "1", "5");
    const roundTripMs = 2 * ONE_WAY_MS;
    assert.ok(kept >= roundTripMs, `an answer after ${kept} ms`);
    assert.ok(kept < 5 * roundTripMs, `an answer after ${kept} ms`);
    // TCP's handshake takes the long way as well
    assert.ok(fresh >= 2 * roundTripMs, `a first answer after ${fresh} ms`);
    // one packet a round trip, of 64 KiB at most, would take 20 s for these
    const { seconds } = await traffic("bulk", "send", "1", `${64 * MIB}`);
    assert.ok(seconds < 10, `${seconds} s`);
  },
});

async function start(
  { name }: NetworkNamespace,
  program: string,
  words: readonly string[],
): Promise<{ line: string } & AsyncDisposable> {
  const run = [Deno.execPath(), "run", "-A", "--no-config"];
  const child = new Deno.Command("ip", {
    args: ["netns", "exec", name, ...run, benchFile(program), ...words],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const line = (await firstLine(child.stdout)).trim();
  return {
    line,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await child.stdout.cancel();
    },
  };
}
