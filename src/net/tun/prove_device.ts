import { messageOf, UnsupportedError } from "../../core/errors.ts";
import { dial } from "../../link/wire/dial.ts";
import { chooseDeviceMethod } from "./choose_device_method.ts";
import { PROOF_PORT } from "./packets/tcp_flows.ts";

/** On this machine alone it takes a millisecond. */
const TIMEOUT_MS = 5_000;

/**
 * Connects through the device once. A firewall that refuses whatever comes in takes the connections
 * that are led to the local listener for strangers; applications would wait for nothing.
 *
 * @throws {UnsupportedError} `TUN_FIREWALLED`.
 */
export async function proveDevice(
  device: string,
  peers: readonly string[],
): Promise<void> {
  await Promise.all(peers.map(async (host) => {
    try {
      const port = PROOF_PORT;
      const socket = await dial({ host, port, timeoutMs: TIMEOUT_MS });
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resume().end();
      await closed;
    } catch (error) {
      throw new UnsupportedError(
        "TUN_FIREWALLED",
        `Connections do not get through the TUN device "${device}": ${
          messageOf(error)
        }`,
        {
          hint: chooseDeviceMethod().client.firewallHint(device),
          cause: error,
        },
      );
    }
  }));
}
