// The built-in transport plugins keep the promises that every plugin has to.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { TextLineStream } from "../cluster/text_line_stream.ts";
import { NetworkNamespace } from "./network_namespace.ts";
import { obstacleWithout } from "./packages.ts";
import type { KitConfig, KitLine } from "./transport_kit.ts";

const obstacle = await obstacleWithout({ ip: "iproute2", nft: "nftables" });
const script = fileURLToPath(new URL("transport_kit.ts", import.meta.url));

const CLAIMS = 8;

const candidates: readonly (KitConfig & { title: string })[] = [
  { title: "tun2socks", plugin: "tun2socks", options: {}, captures: true },
  { title: "sshuttle", plugin: "sshuttle", options: {}, captures: true },
  {
    title: "tun2socks --disableTunDevice",
    plugin: "tun2socks",
    options: { disableTunDevice: "true" },
    captures: false,
  },
];

/** What the kit says, in a machine of its own. */
async function runKit(config: KitConfig): Promise<KitLine[]> {
  await using space = await NetworkNamespace.create();
  const inside = `mount -t tmpfs tmpfs /run && exec "$0" "$@"`;
  const run = [Deno.execPath(), "run", "-A", "--quiet", script];
  const child = new Deno.Command("ip", {
    args: [
      ...["netns", "exec", space.name, "sh", "-c", inside],
      ...[...run, JSON.stringify(config)],
    ],
    stdout: "piped",
  }).spawn();
  const lines: KitLine[] = [];
  for await (
    const line of child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
  ) lines.push(JSON.parse(line));
  assert.equal((await child.status).code, 0);
  return lines;
}

// all at once: they wait for helpers that start, most of the time
let kits: Promise<KitLine[]>[] | undefined;

for (const [at, { title, ...config }] of candidates.entries()) {
  Deno.test({
    name: `the transport plugin "${title}" passes the conformance kit`,
    ignore: obstacle !== undefined,
    sanitizeOps: false, // those of the others
    sanitizeResources: false,
    async fn(t) {
      kits ??= candidates.map((one) => runKit(one));
      const lines = await kits[at]!;
      for (const { claim, error } of lines) {
        await t.step(claim, () => {
          if (error !== undefined) assert.fail(error);
        });
      }
      // without addresses to capture, none can come later
      assert.equal(lines.length, config.captures ? CLAIMS : CLAIMS - 1);
    },
  });
}
