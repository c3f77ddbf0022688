/** Run by URL: makes of the sources what ktctl needs beside itself. */
import { agentSource } from "../../../src/cluster/shadow/agent_source.ts";
import { ownProgram } from "../../../src/helper/helper_command.ts";
import { prepareHelper } from "../../../src/helper/prepare_helper.ts";
import { startPacketWorker } from "../../../src/net/tun/start_packet_worker.ts";

const agent = await agentSource({ cacheDir: "/nonexistent" });
const { signal } = new AbortController();
const { argv, stdin } = await prepareHelper(ownProgram(), signal);
console.log(JSON.stringify({
  agent: /^import .*node:/m.test(agent) && !agent.includes("import.meta.url"),
  helper: new TextDecoder().decode(stdin).includes("runHelper"),
  isRootTold: argv.some((word) => word.includes("://")),
  worker: await answerOfWorker(),
}));

/** It has loaded when it fails by itself. */
function answerOfWorker(): Promise<string> {
  const worker = startPacketWorker();
  const { promise, resolve } = Promise.withResolvers<string>();
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    resolve(event.message);
  };
  worker.postMessage({ line: {} });
  return promise;
}
