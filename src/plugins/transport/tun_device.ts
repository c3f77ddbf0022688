import { aborted } from "../../core/aborted.ts";
import { chooseDeviceMethod } from "../../net/tun/choose_device_method.ts";
import { openTunCapture } from "../../net/tun/tun_capture.ts";
import type { Transport, TransportContext } from "../plugin.ts";

export interface OpenDeviceOptions {
  /** Lead addresses into the device. */
  readonly isRouted: boolean;
}

/** As of most networks: what is larger goes through in one piece all the same. */
const MTU = 1500;

/**
 * A device of this user's, made by the root helper, and what carries its packets. On Windows it is
 * made here, and the helper gives it addresses and routes.
 */
export async function openDevice(
  { root, session, cidrs, link, scope, log }: TransportContext<unknown>,
  { isRouted }: OpenDeviceOptions,
): Promise<Transport & { readonly device: string }> {
  const { client } = chooseDeviceMethod();
  using prepared = client.prepare(session);
  const { result } = await root.open("tun.open", {
    session,
    uid: Deno.uid() ?? 0,
    mtu: MTU,
    cidrs: isRouted ? [...cidrs] : [],
  });
  const { device, ipv6 } = result;
  if (!ipv6 && cidrs.some((cidr) => cidr.includes(":"))) {
    log.warn(
      "IPV6_NOT_CAPTURED",
      `The cluster's IPv6 addresses are not reached: ${client.noIpv6Reason}`,
    );
  }
  const capture = scope.use(
    await openTunCapture({
      ...result,
      packets: prepared.take(device),
      link,
      onRefused: ({ host, port }, error) =>
        log.debug(`Connection to ${host} port ${port}: ${error.message}`),
      onStranger: (address) =>
        log.warn(
          "STRANGER_REFUSED",
          `${address} sends to the cluster by way of this machine and is refused, as whoever else is neither it nor its containers and virtual machines`,
        ),
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
