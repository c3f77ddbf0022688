import { aborted } from "../../core/aborted.ts";
import type { OpenedTun } from "../../helper/tun_operations.ts";
import { openTunCapture } from "../../net/tun/tun_capture.ts";
import type { Transport, TransportContext } from "../plugin.ts";

export interface OpenDeviceOptions {
  /** Lead addresses into the device. */
  readonly isRouted: boolean;
}

/** As of most networks: what is larger goes through in one piece all the same. */
const MTU = 1500;

/** A device of this user's, made by the root helper, and what carries its packets. */
export async function openDevice(
  { root, session, cidrs, link, scope, log }: TransportContext<unknown>,
  { isRouted }: OpenDeviceOptions,
): Promise<Transport & { readonly device: string }> {
  const { result } = await root.open<OpenedTun>("tun.open", {
    session,
    uid: Deno.uid() ?? 0,
    mtu: MTU,
    cidrs: isRouted ? [...cidrs] : [],
  });
  const { device } = result;
  const capture = scope.use(
    await openTunCapture({
      ...result,
      link,
      onRefused: ({ host, port }, error) =>
        log.debug(`Connection to ${host} port ${port}: ${error.message}`),
    }),
    "packets",
  );
  scope.background("device", (signal) =>
    Promise.race([
      capture.lost.then((lost) => {
        throw lost;
      }),
      aborted(signal),
    ]));
  return {
    device,
    ...isRouted && {
      update: async (cidrs) => {
        const updated = await root.open("tun.routes", {
          session,
          device,
          cidrs: [...cidrs],
        });
        await updated.close();
      },
    },
  };
}
