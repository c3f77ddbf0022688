// Descriptors on their way from the root helper: proven here as it is, but for macOS's numbers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
  packMessage,
  unixAddress,
  unpackMessage,
} from "../../../../src/net/tun/posix/descriptor_message.ts";
import {
  DescriptorReceiver,
  handoverFolder,
} from "../../../../src/net/tun/posix/descriptor_receiver.ts";
import { openLibc, openPipe } from "../../../../src/net/tun/posix/libc.ts";
import { sendDescriptor } from "../../../../src/net/tun/posix/send_descriptor.ts";
import { openUnixSockets } from "../../../../src/net/tun/posix/unix_sockets.ts";

const ignore = Deno.build.os === "windows";
const newSession = () =>
  `t${crypto.randomUUID().replaceAll("-", "").slice(20)}`;
const uid = Deno.uid() ?? 0;

Deno.test({
  name: "a descriptor is handed over, and is as good as the one that was sent",
  ignore,
  fn() {
    const session = newSession();
    const libc = openLibc();
    const sockets = openUnixSockets();
    const { read, write, close } = libc.symbols;
    const [from, to] = openPipe(libc)!;
    let received: number;
    {
      using receiver = new DescriptorReceiver(session);
      const { mode } = Deno.statSync(handoverFolder(session));
      assert.equal(mode! & 0o777, 0o700);
      sendDescriptor(sockets, to, { session, uid });
      close(to);
      received = receiver.receive();
    }
    assert.ok(!existsSync(handoverFolder(session)));
    write(received, new TextEncoder().encode("hello"), 5n);
    close(received);
    const text = new Uint8Array(10);
    const length = Number(read(from, text, 10n));
    assert.equal(new TextDecoder().decode(text.subarray(0, length)), "hello");
    close(from);
    sockets.close();
    libc.close();
  },
});

Deno.test({
  name: "nobody is waited for: where nothing was handed over, that is an error",
  ignore,
  fn() {
    const session = newSession();
    using receiver = new DescriptorReceiver(session);
    assert.throws(() => receiver.receive(), { code: "TUN_UNSUPPORTED" });
    assert.throws(() => new DescriptorReceiver(session), {
      code: "TUN_UNSUPPORTED",
    });
    assert.ok(existsSync(handoverFolder(session)));
  },
});

Deno.test({
  name:
    "another user's process gets no descriptor, and one that does not listen is an error",
  ignore,
  fn() {
    const session = newSession();
    const sockets = openUnixSockets();
    const send = (uid: number) => sendDescriptor(sockets, 0, { session, uid });
    assert.throws(() => send(uid), { code: "TUN_UNSUPPORTED" });
    {
      using receiver = new DescriptorReceiver(session);
      assert.throws(() => send(uid + 1), { code: "TUN_NOT_ALLOWED" });
      assert.throws(() => receiver.receive(), { code: "TUN_UNSUPPORTED" });
    }
    sockets.close();
  },
});

Deno.test("a message with a descriptor is laid out as each system has it", () => {
  const linux = packMessage("linux", 7);
  assert.deepEqual([...linux.subarray(80)], [
    ...[20, 0, 0, 0, 0, 0, 0, 0],
    ...[1, 0, 0, 0],
    ...[1, 0, 0, 0],
    ...[7, 0, 0, 0, 0, 0, 0, 0],
  ]);
  const darwin = packMessage("darwin", 7);
  assert.deepEqual([...darwin.subarray(80)], [
    ...[16, 0, 0, 0],
    ...[0xff, 0xff, 0, 0],
    ...[1, 0, 0, 0],
    ...[7, 0, 0, 0],
  ]);
  for (const system of ["linux", "darwin"] as const) {
    const message = packMessage(system, 7);
    assert.equal(unpackMessage(system, message), 7);
    assert.equal(unpackMessage(system, packMessage(system)), undefined);
    const view = new DataView(message.buffer);
    const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(message));
    const at = (offset: number) =>
      Number(view.getBigUint64(offset, true) - base);
    assert.deepEqual([at(16), at(32), at(56)], [56, 80, 72]);
    assert.equal(view.getUint32(24, true), 1);
    assert.equal(view.getUint32(40, true), message.length - 80);
  }
});

Deno.test("the address of a socket is laid out as each system has it", () => {
  const path = [...new TextEncoder().encode("/tmp/a"), 0];
  assert.deepEqual([...unixAddress("/tmp/a", "linux")], [1, 0, ...path]);
  assert.deepEqual([...unixAddress("/tmp/a", "darwin")], [9, 1, ...path]);
});
