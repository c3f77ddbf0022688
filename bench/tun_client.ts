// Runs inside a network namespace: carries a TUN device's packets for tun_bench.ts. Prints a line
// when it is ready, and ends when killed.
import { dial } from "../src/link/wire/dial.ts";
import type { OpenedTun } from "../src/net/tun/opened_tun.ts";
import { addressBytes } from "../src/net/tun/packets/address_text.ts";
import { PacketCarrier } from "../src/net/tun/packet_carrier.ts";
import { openTunCapture } from "../src/net/tun/tun_capture.ts";
import { TunDevice } from "../src/net/tun/linux/tun_device.ts";

export interface TunBenchConfig extends OpenedTun {
  /** `path`: connections end in a program that listens at `port` of the device. */
  readonly what: "path" | "relay";
  readonly port: number;
}

const { what, device, ipv4, port }: TunBenchConfig = JSON.parse(Deno.args[0]!);
if (what === "path") {
  const { local, peer } = ipv4;
  const ends = {
    4: { local: addressBytes(local), peer: addressBytes(peer), port },
  };
  const carrier = new PacketCarrier(new TunDevice(device), ends, {
    onAsk: (flow) => take(flow),
    onOther: () => {},
    onLost: () => Deno.exit(1),
  });
  const take = (flow: number) => carrier.command("open", flow);
} else {
  await openTunCapture({
    device,
    packets: new TunDevice(device),
    ipv4,
    link: {
      dial: () => dial({ host: "127.0.0.1", port, timeoutMs: 5_000 }),
      openDatagrams: () => Promise.reject(new Error("no datagrams here")),
      isReachable: () => Promise.resolve(true),
    },
  });
}
console.log("ready");
