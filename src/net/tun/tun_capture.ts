import type { UnsupportedError } from "../../core/errors.ts";
import { exec } from "../../core/exec.ts";
import { reset } from "../../link/wire/relay.ts";
import { ForwardedSenders } from "../bridges/forwarded_senders.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { chooseDeviceMethod } from "./choose_device_method.ts";
import { addressBytes, addressText } from "./packets/address_text.ts";
import { echoReply, isEchoRequest } from "./packets/echo_reply.ts";
import { EchoResponder } from "./packets/echo_responder.ts";
import { icmpError, isToMany } from "./packets/icmp_error.ts";
import { type IpPacket, parseIpPacket, PROTOCOL } from "./packets/ip_packet.ts";
import { listenOnDevice } from "./listen_on_device.ts";
import type { TunAddresses } from "./opened_tun.ts";
import { PacketCarrier } from "./packet_carrier.ts";
import type { PacketDevice } from "./packets/packet_device.ts";
import type { FamilyEnds } from "./packets/packet_rewriter.ts";
import { proveDevice } from "./prove_device.ts";
import { Reassembler } from "./packets/reassembler.ts";
import { type OnRefused, TcpFlows } from "./packets/tcp_flows.ts";
import { tcpReset } from "./packets/tcp_reset.ts";
import { UdpFlows } from "./packets/udp_flows.ts";

/** The device as the root helper made it (`tun.open`). */
export interface TunCaptureOptions {
  readonly device: string;
  /** The near end of it, which is disposed with the capture. */
  readonly packets: PacketDevice;
  readonly ipv4: TunAddresses;
  readonly ipv6?: TunAddresses;
  readonly link: Pick<ClusterLink, "dial" | "openDatagrams" | "isReachable">;
  /** A connection was not carried on, and why. */
  readonly onRefused?: OnRefused;
  /** Somebody whom this machine only passes on was refused: told once. */
  readonly onStranger?: (address: string) => void;
}

export interface TunCapture extends AsyncDisposable {
  /** Open TCP connections. */
  readonly connections: number;
  /** Pairs that talk by UDP. */
  readonly datagramFlows: number;
  /** When the device was taken away, or nothing carries its packets any more. Not when disposed. */
  readonly lost: Promise<UnsupportedError>;
}

/**
 * Carries what goes into the device to the cluster. TCP ends in this machine's own kernel: packets
 * are readdressed to a listener here and sent back up the device; a connection is only accepted once
 * the cluster has taken it. UDP goes by sockets of the agent's, pings are answered where the cluster
 * reaches the address, and all else is refused by ICMP.
 *
 * Neither another machine, for which this one is a router, nor what it sends gets in (Linux).
 *
 * Needs no root: the device belongs to this user. Dispose it before the device goes, or applications
 * are not told that their connections have ended.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`, `TUN_FIREWALLED`.
 */
export async function openTunCapture(
  options: TunCaptureOptions,
): Promise<TunCapture> {
  await using stack = new AsyncDisposableStack();
  const device = stack.use(options.packets);
  const { device: name, ipv4, ipv6, link, onRefused, onStranger } = options;
  const senders = new ForwardedSenders({
    exec,
    own: [ipv4.local, ...ipv6 ? [ipv6.local] : []],
    ...onStranger && { onStranger },
  });
  const { refusesStrangers } = chooseDeviceMethod().client;
  const isFrom = ({ source }: IpPacket) =>
    !refusesStrangers || senders.has(addressText(source));
  const lost = Promise.withResolvers<UnsupportedError>();
  const peers = [ipv4, ...(ipv6 ? [ipv6] : [])].map(({ peer }) => peer);
  let tcp: TcpFlows | undefined;
  const listen = async ({ local, peer }: TunAddresses): Promise<FamilyEnds> => {
    const { port } = stack.use(
      await listenOnDevice(local, (socket) => {
        if (tcp === undefined) reset(socket); // it is nobody whose packets were carried
        else void tcp.accept(socket);
      }),
    );
    return { local: addressBytes(local), peer: addressBytes(peer), port };
  };
  const ends = {
    4: await listen(ipv4),
    ...(ipv6 === undefined ? {} : { 6: await listen(ipv6) }),
  };
  const carrier = stack.use(
    new PacketCarrier(device, ends, {
      async onAsk(flow, bytes) {
        const packet = parseIpPacket(bytes);
        if (packet === undefined || isToMany(packet)) {
          return carrier.command("remove", flow);
        }
        if (await isFrom(packet)) return await tcp?.ask(flow, packet);
        inject(icmpError(packet, "host"));
        carrier.command("remove", flow);
      },
      async onOther(bytes) {
        const packet = parseIpPacket(bytes);
        const whole = packet && reassembler.add(packet);
        if (whole === undefined || isToMany(whole)) return;
        inject(
          await isFrom(whole)
            ? await answerOther(whole, { udp, echo, peers })
            : icmpError(whole, "host"),
        );
      },
      onLost: lost.resolve,
    }),
  );
  const inject = (frame: Uint8Array | undefined) => carrier.inject(frame);
  const reassembler = new Reassembler();
  const echo = new EchoResponder(link);
  const udp = stack.use(new UdpFlows({ link, inject }));
  const flows = tcp = stack.use(
    new TcpFlows({ link, carrier, peers, ...(onRefused && { onRefused }) }),
  );
  await proveDevice(name, peers);
  const held = stack.move();
  return {
    get connections() {
      return flows.size;
    },
    get datagramFlows() {
      return udp.size;
    },
    lost: lost.promise,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

interface Answerers {
  readonly udp: UdpFlows;
  readonly echo: EchoResponder;
  readonly peers: readonly string[];
}

/** What to send back at once, for all that is not of a known TCP connection. */
async function answerOther(
  packet: IpPacket,
  { udp, echo, peers }: Answerers,
): Promise<Uint8Array | undefined> {
  const isPeer = peers.includes(addressText(packet.destination));
  if (isEchoRequest(packet)) {
    return isPeer ? echoReply(packet) : await echo.answer(packet);
  }
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return tcpReset(packet);
    case PROTOCOL.udp:
      if (isPeer) return icmpError(packet, "port");
      udp.take(packet);
      return undefined;
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return undefined; // errors about what was sent here, and what the kernel says unasked
    default:
      return icmpError(packet, "protocol");
  }
}
