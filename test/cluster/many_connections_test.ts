// Many connections through one exchange: all are answered, and nothing of them stays behind.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { applyPrograms, startDenoPod } from "./deno_pod.ts";
import { applyNumbers, loseNoNumber } from "./numbered_requests.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { openFiles, pidInPod, residentMiB, shadowPod } from "./pod_process.ts";

const IN_TURN = 10_000;
const AT_ONCE = 1_000;

Deno.test({
  name:
    `${IN_TURN} connections in turn and ${AT_ONCE} at once through one exchange are all answered and closed again, and a fault loses none that the laptop did not have`,
  ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // reads the node's /proc
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await applyPrograms(namespace);
    await applyNumbers(namespace);
    const dialler = await startDenoPod(cluster, namespace);
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    await using exchange = laptop.start([
      "exchange",
      "web",
      "--expose",
      `${laptop.demo.port}:80,${laptop.demo.tcpPort}:9000`,
    ]);
    await exchange.ready();
    await reaches(client);
    const pod = await shadowPod(namespace);
    const agent = await pidInPod(namespace, pod, "agent.js");
    const ends = [{ name: "ktctl", pid: exchange.pid }, {
      name: "agent",
      pid: agent,
    }];
    const counts = async (command: string) => {
      const start = performance.now();
      const output = succeeded(
        await client.exec(["sh", "-c", command], { timeout: 600_000 }),
      );
      const lines = output.split("\n").filter((line) => line !== "");
      return {
        lines,
        seconds: ((performance.now() - start) / 1000).toFixed(1),
      };
    };

    // V8 lets its heap grow with the first thousands, and then keeps its size
    const first = await counts(inTurn(IN_TURN / 2));
    assert.equal(first.lines.length, IN_TURN / 2);
    assert.deepEqual(new Set(first.lines), new Set(["demo pod=laptop"]));
    const start = ends.map(({ name, pid }) => ({
      name,
      pid,
      files: openFiles(pid),
      memory: residentMiB(pid),
    }));

    const turn = await counts(inTurn(IN_TURN / 2));
    assert.equal(turn.lines.length, IN_TURN / 2);
    assert.deepEqual(new Set(turn.lines), new Set(["demo pod=laptop"]));
    const memoryBetween = ends.map(({ pid }) => residentMiB(pid));

    const dials = ["web", "9000", String(AT_ONCE)];
    const once = await dialler.run("many_dials.ts", dials);
    assert.deepEqual(JSON.parse(once), { good: AT_ONCE });

    console.log(`${IN_TURN / 2} in turn: ${turn.seconds} s`);
    for (const [i, { name, pid, files, memory }] of start.entries()) {
      await eventually(
        `the ${name} has no more than ${files} files open`,
        () => openFiles(pid) <= files,
        15_000,
      );
      const memoryAfter = residentMiB(pid);
      console.log(
        `${name}: open files ${files} → ${openFiles(pid)}, ` +
          `memory ${memory} → ${memoryBetween[i]} → ${memoryAfter} MiB`,
      );
      assert.ok(memoryAfter < memory + 60, `the ${name}'s memory grew`);
    }

    assert.equal((await exchange.stop()).code, 0);
    await loseNoNumber({ cluster, namespace, laptop, dialler });
    await assertNoTrace({ namespace, laptop, before });
  },
});

/** One connection each. */
function inTurn(count: number): string {
  return `curl -sS -m 150 -H 'Connection: close' 'http://web/?[1-${count}]'`;
}
