// How `leave` ends a session, and how one is told to be ended.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { askStatus } from "../../../../src/commands/running/ask_session.ts";
import { endSession } from "../../../../src/commands/running/end_session.ts";
import { isNamed } from "../../../../src/commands/running/is_named.ts";
import { endText } from "../../../../src/commands/session/end_text.ts";
import { quietReport } from "../../../fakes/quiet_report.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

Deno.test({
  name: "a session that is stopped is waited for by neither leave nor status",
  ignore: Deno.build.os === "windows", // it has no such sockets
  async fn() {
    await using folder = await TempFolder.make();
    const socket = join(folder.path, "s.sock");
    const server = createServer(() => {});
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
      ...{ session: "s", pid: 7, socket },
      ...{ command: "exchange web", kubeconfig: null, context: "it" },
      ...{ server: "https://127.0.0.1:1", namespace: "shop", startedAt: 1 },
    } as const;
    const options = { report: quietReport(), answerMs: 50 };
    try {
      await assert.rejects(endSession(host, session, options), {
        code: "SESSION_SILENT",
        hint: /SIGTERM to process 7\..* \(Ctrl-Z\).*`fg`/,
      });
      assert.deepEqual(conclusions, [], "it does not end");
      const { reason } = await askStatus(socket, host.signal);
      assert.equal(reason, "it says nothing");
    } finally {
      server.close();
    }
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
