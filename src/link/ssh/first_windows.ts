import { FIRST_WINDOW_BYTES } from "../wire/receive_window.ts";

/**
 * Has the channels of a connection begin with {@link FIRST_WINDOW_BYTES}: ssh2 has no option for it.
 * `ChannelStream` allows what comes after.
 */
export function withFirstWindows(connection: object): void {
  const { _protocol: protocol } = connection as { _protocol: Protocol };
  for (const name of ["directTcpip", "forwardedTcpip"] as const) {
    const open = protocol[name];
    protocol[name] = (channel, _window, packetSize, target) =>
      open.call(protocol, channel, FIRST_WINDOW_BYTES, packetSize, target);
  }
  const confirm = protocol.channelOpenConfirm;
  protocol.channelOpenConfirm = (remote, local, _window, packetSize) =>
    confirm.call(protocol, remote, local, FIRST_WINDOW_BYTES, packetSize);
}

type Open = (
  channel: number,
  window: number,
  packetSize: number,
  target: unknown,
) => void;

interface Protocol {
  directTcpip: Open;
  forwardedTcpip: Open;
  channelOpenConfirm(
    remote: number,
    local: number,
    window: number,
    packetSize: number,
  ): void;
}
