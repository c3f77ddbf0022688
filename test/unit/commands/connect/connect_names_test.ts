import assert from "node:assert/strict";
import { ConnectNames } from "../../../../src/commands/connect/connect_names.ts";
import type { ConnectOptions } from "../../../../src/commands/connect/connect_options.ts";
import { ConflictError } from "../../../../src/core/errors.ts";
import type { LocalResolver } from "../../../../src/net/dns/detect_resolver.ts";
import type { RootHelper } from "../../../../src/plugins/plugin.ts";

/** What is asked of the root helper, which refuses it or closes it. */
function watchedRoot(error?: Error) {
  const calls: string[] = [];
  const root = {
    open(operation: string, args: unknown) {
      calls.push(`${operation} ${JSON.stringify(args)}`);
      if (error !== undefined) return Promise.reject(error);
      const close = () => Promise.resolve(void calls.push("close"));
      return Promise.resolve({ result: null, close });
    },
  } as RootHelper;
  return { root, calls };
}

function probe(
  root: RootHelper,
  { kind = "resolv-conf", dnsMode = "localDNS" }: {
    kind?: LocalResolver["kind"];
    dnsMode?: ConnectOptions["dnsMode"]["kind"];
  } = {},
): Promise<void> {
  return ConnectNames.probeMachine({
    root,
    connect: { dnsMode: { kind: dnsMode } } as ConnectOptions,
    local: { kind, upstreams: [], search: [] },
  });
}

for (const kind of ["resolv-conf", "systemd-resolved"] as const) {
  Deno.test(`with ${kind} the check asks for port 53, gives it up, and tells who has it`, async () => {
    const free = watchedRoot();
    await probe(free.root, { kind });
    assert.deepEqual(free.calls, [
      'dns.probe {"address":"127.0.0.153"}',
      "close",
    ]);
    const taken = new ConflictError("DNS_PORT_TAKEN", "It is taken");
    await assert.rejects(probe(watchedRoot(taken).root, { kind }), taken);
  });
}

Deno.test("the check asks for no port 53 where none is served", async () => {
  const { root, calls } = watchedRoot();
  await probe(root, { dnsMode: "hosts" });
  await probe(root, { kind: "macos" });
  await assert.rejects(probe(root, { kind: "none" }), {
    code: "DNS_UNSUPPORTED",
  });
  assert.deepEqual(calls, []);
});
