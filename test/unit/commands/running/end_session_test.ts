// How `leave` ends a session, and how one is told to be ended.
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { askStatus } from "../../../../src/commands/running/ask_session.ts";
import { endSession } from "../../../../src/commands/running/end_session.ts";
import { isNamed } from "../../../../src/commands/running/is_named.ts";
import type { KtctlError } from "../../../../src/core/errors.ts";
import { endText } from "../../../../src/commands/session/end_text.ts";
import { quietReport } from "../../../fakes/quiet_report.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

/** A session of this laptop, before `answer` of its process. */
async function endWith(answer: (socket: Socket) => void, answerMs?: number) {
  await using folder = await TempFolder.make();
  const socket = join(folder.path, "s.sock");
  const server = createServer(answer);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(socket, resolve);
  await promise;
  const conclusions: unknown[] = [];
  const host = {
    signal: new AbortController().signal,
    conclude: (conclusion: unknown) => void conclusions.push(conclusion),
    journalDir: folder.path,
  };
  const session = {
    type: "session",
    version: 1,
    ...{ session: "s", pid: 7, socket, startedAt: 1 },
    ...{ command: "exchange web", kubeconfig: "/home/a/my team.yaml" },
    ...{ context: "it", server: "https://127.0.0.1:1", namespace: "shop" },
  } as const;
  await folder.write("s.jsonl", session);
  const options = {
    report: quietReport(),
    ...(answerMs !== undefined && { answerMs }),
  };
  try {
    const error = await endSession(host, session, options).catch((error) =>
      error
    );
    const { reason } = await askStatus(socket, host.signal);
    return { error: error as KtctlError, conclusions, reason };
  } finally {
    server.close();
  }
}

Deno.test({
  name: "a session that is stopped is waited for by neither leave nor status",
  ignore: Deno.build.os === "windows", // it has no such sockets
  async fn() {
    const { error, conclusions, reason } = await endWith(() => {}, 50);
    assert.equal(error.code, "SESSION_SILENT");
    assert.match(error.hint!, /SIGTERM to process 7\..* \(Ctrl-Z\).*`fg`/);
    assert.deepEqual(conclusions, [], "it does not end");
    assert.equal(reason, "it says nothing");
  },
});

Deno.test({
  name:
    "who ends a session that leaves something behind is told where to clean up",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { error } = await endWith((socket) => socket.end("{}\n"));
    assert.equal(error.code, "SESSION_NOT_RESTORED");
    assert.equal(
      error.hint,
      "Run `ktctl clean -n shop --context it --kubeconfig '/home/a/my team.yaml'`.",
    );
  },
});

for (
  const [command, name] of [
    ["exchange web", "web"],
    ["exchange deploy/web-app", "web-app"],
    ["mesh svc/web --versionMark version:alice", "web"],
    ["forward db:5432", "db:5432"],
    ["connect", "connect"],
    ["connect --mode tun2socks, which captures nothing", "connect"],
  ] as const
) {
  Deno.test(`"${command}" in the background is told to be ended by a name that leave knows`, () => {
    const text = endText({ log: "/log" }, "restore it", command);
    assert.equal(text, `Run \`ktctl leave ${name}\` to restore it`);
    assert.ok(isNamed({ session: "x", command }, name));
  });
}
