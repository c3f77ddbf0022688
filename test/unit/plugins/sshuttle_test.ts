import assert from "node:assert/strict";
import type { Json } from "../../../src/core/json.ts";
import type {
  TransportContext,
  TransportPlugin,
} from "../../../src/plugins/plugin.ts";
import sshuttle from "../../../src/plugins/transport/sshuttle.ts";

const plugin = sshuttle as unknown as TransportPlugin<undefined>;

interface Redirected {
  readonly cidrs: string[];
  readonly dns: { readonly servers: string[] };
}

interface Updated {
  readonly redirect?: Json;
}

Deno.test({
  name:
    "sshuttle says which name servers a rule cannot name, and redirects the others, as they change",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using stack = new AsyncDisposableStack();
    const asked: [string, Json][] = [];
    const warnings: string[] = [];
    const context = {
      options: undefined,
      link: {},
      cidrs: ["10.96.0.0/12"],
      session: "x1y2",
      signal: new AbortController().signal,
      dns: {
        port: 10053,
        servers: ["10.0.0.2", "fe80::1%en0", "[10.0.0.3]:5353", "fd00::2"],
        ownSourcePorts: { from: 61_000, to: 64_999 },
      },
      scope: { use: (resource: AsyncDisposable) => stack.use(resource) },
      root: {
        open(operation: string, args: Json) {
          asked.push([operation, args]);
          const result = { method: "nft" };
          return Promise.resolve({ result, close: () => Promise.resolve() });
        },
      },
      log: {
        warn: (_code: string, message: string) => warnings.push(message),
        debug: () => {},
      },
    };
    const { update } = await plugin.open(
      context as unknown as TransportContext<undefined>,
    );
    assert.match(warnings.join(), /fe80::1%en0, \[10\.0\.0\.3\]:5353/);
    // addresses that come later, then name servers
    await update!(["10.96.0.0/12", "10.244.0.0/16"], context.dns.servers);
    await update!(["10.96.0.0/12"], ["192.0.2.1", "fe80::2%en1"]);
    assert.equal(warnings.length, 2);
    assert.match(warnings[1]!, /fe80::2%en1/);
    const seen = asked.map(([operation, args]) => {
      const { redirect = args } = args as unknown as Updated;
      const { cidrs, dns } = redirect as unknown as Redirected;
      return [operation, cidrs.length, ...dns.servers];
    });
    assert.deepEqual(seen, [
      ["redirect.open", 1, "10.0.0.2", "fd00::2"],
      ["redirect.update", 2, "10.0.0.2", "fd00::2"],
      ["redirect.update", 1, "192.0.2.1"],
    ]);
  },
});
