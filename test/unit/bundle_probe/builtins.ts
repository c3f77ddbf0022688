// Each form in which a built-in of Node is imported.
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import * as path from "node:path";
import process, { argv } from "node:process";

class Probe extends EventEmitter {}

async function probe(): Promise<void> {
  console.error("the probe begins");
  const it = new Probe();
  it.on("said", (text: string) => console.log(text));
  it.emit("said", path.basename(path.join("a", "b")));
  it.emit("said", String(process.argv === argv));
  it.emit("said", createHash("sha256").update("probe").digest("hex"));
  const { setTimeout: wait } = await import("node:timers/promises");
  it.emit("said", await wait(1, "waited"));
  it.emit("said", new URL(import.meta.url).pathname);
}

setTimeout(probe, 0);
