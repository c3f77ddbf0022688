import { aborted } from "../../core/aborted.ts";
import { DescriptorReceiver } from "../../net/tun/posix/descriptor_receiver.ts";
import { openTunCapture } from "../../net/tun/tun_capture.ts";
import type { PacketDevice } from "../../net/tun/packets/packet_device.ts";
import { UtunDevice } from "../../net/tun/macos/utun_device.ts";
import { WintunDevice } from "../../net/tun/windows/wintun_device.ts";
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
  using wintun = new DisposableStack();
  const adapter = Deno.build.os === "windows"
    ? wintun.use(new WintunDevice(session))
    : undefined;
  // macOS hands the device over; Linux lets its user open it
  using receiver = Deno.build.os === "darwin"
    ? new DescriptorReceiver(session)
    : undefined;
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
      `The cluster's IPv6 addresses are not reached: ${
        receiver
          ? "on macOS the device has IPv4 alone"
          : "this machine has IPv6 switched off"
      }`,
    );
  }
  const packets: PacketDevice | undefined = receiver
    ? new UtunDevice(receiver.receive())
    : adapter;
  const capture = scope.use(
    await openTunCapture({
      ...result,
      ...packets && { packets },
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
  wintun.move(); // it goes with the capture
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
