// The client of tests as files that any user can run: one of root has no access to root's caches.
import { denoBundle } from "../../src/core/deno_bundle.ts";

let folder: Promise<string> | undefined;

/** A folder with `client.js` and `worker.js`, made once in a process. */
export function bundleForTun(): Promise<string> {
  return folder ??= build();
}

async function build(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "ktctl-tun-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  await Deno.chmod(folder, 0o777); // its user keeps a cache in it
  const sources = {
    client: "test/netns/tun_client.ts",
    worker: "src/net/tun/packet_worker.ts",
  };
  await Promise.all(
    Object.entries(sources).map(async ([name, source]) => {
      await denoBundle(source, `${folder}/${name}.js`);
    }),
  );
  return folder;
}
