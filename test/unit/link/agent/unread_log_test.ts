import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentProcess } from "./agent_process.ts";

Deno.test({
  name: "an agent whose log nobody reads rests",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using agent = await AgentProcess.start();
    agent.process.stderr!.destroy();
    const link = await agent.link();
    await link.close();
    await sleep(200); // what logging the end of the link costs
    const before = await ticks(agent.process.pid!);
    await sleep(500);
    const spent = await ticks(agent.process.pid!) - before;
    assert.ok(spent < 10, `${spent} of 50 ticks in half a second`);
  },
});

/** Processor time that a process has used, in hundredths of a second. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
